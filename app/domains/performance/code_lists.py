"""Code lists of performance targets, as the form has them (财政项目支出绩效目标申报表)."""

from __future__ import annotations

from app.entity.code_lists import CodeList


class ProjectCategory(CodeList):
    """项目类别."""

    ONE_OFF = "one_off", "一次性项目", "One-off"
    RECURRING = "recurring", "经常性项目", "Recurring"
    PILOT = "pilot", "中期预算试点项目", "Medium-term budget pilot"


class TargetStatus(CodeList):
    """状态."""

    DRAFT = "draft", "草稿", "Draft"
    SUBMITTED = "submitted", "已申报", "Submitted"
    RETURNED = "returned", "退回", "Returned"
    APPROVED = "approved", "已批复", "Approved"
    CLOSED = "closed", "已验收", "Closed"


class FundingSource(CodeList):
    """资金来源."""

    SUPERIOR = "superior", "上级财政拨款", "Superior's budget"
    OWN = "own", "本级财政安排", "Own budget"
    SUBORDINATE = "subordinate", "下级财政配套", "Subordinate's share"
    OTHER = "other", "其他资金", "Other funds"


class GoalKind(CodeList):
    """一级目标."""

    OUTPUT = "output", "产出目标", "Output"
    EFFECT = "effect", "效果目标", "Effect"
    INFLUENCE = "influence", "影响力目标", "Influence"


class GoalDimension(CodeList):
    """二级目标."""

    QUANTITY = "quantity", "数量", "Quantity"
    QUALITY = "quality", "质量", "Quality"
    TIMELINESS = "timeliness", "时效", "Timeliness"
    COST = "cost", "成本", "Cost"
    ECONOMIC = "economic", "经济效益", "Economic benefit"
    SOCIAL = "social", "社会效益", "Social benefit"
    ECOLOGICAL = "ecological", "环境效益", "Environmental benefit"
    FACILITIES = "facilities", "配套设施", "Facilities"
    INFORMATION = "information", "信息共享", "Shared information"
    SATISFACTION = "satisfaction", "满意度", "Satisfaction"


DIMENSIONS: dict[GoalKind, tuple[GoalDimension, ...]] = {
    GoalKind.OUTPUT: (GoalDimension.QUANTITY, GoalDimension.QUALITY, GoalDimension.TIMELINESS, GoalDimension.COST),
    GoalKind.EFFECT: (GoalDimension.ECONOMIC, GoalDimension.SOCIAL, GoalDimension.ECOLOGICAL),
    GoalKind.INFLUENCE: (GoalDimension.FACILITIES, GoalDimension.INFORMATION, GoalDimension.SATISFACTION),
}
"""Which dimensions a kind of goal has."""


class GoalDirection(CodeList):
    """目标方向."""

    AT_LEAST = "at_least", "不低于", "At least"
    AT_MOST = "at_most", "不高于", "At most"


class GoalSource(CodeList):
    """实际值来源."""

    RECORDS = "records", "业务记录统计", "Counted from records"
    REPORTED = "reported", "填报", "Reported"
    SURVEY = "survey", "问卷满意度", "A survey"


class SafeguardArea(CodeList):
    """制度类别."""

    PROJECT = "project", "项目管理", "Project management"
    BUDGET = "budget", "预算管理", "Budget management"
    FINANCE = "finance", "财务管理", "Financial management"
