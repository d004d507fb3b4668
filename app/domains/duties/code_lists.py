"""Code lists of visits, tasks and assessments."""

from __future__ import annotations

from app.entity.code_lists import CodeList


class VisitMode(CodeList):
    """走访方式."""

    HOME = "home", "上门", "At home"
    TELEPHONE = "telephone", "电话", "By telephone"
    ONLINE = "online", "线上", "Online"


class IssueCategory(CodeList):
    """问题类别."""

    LIVELIHOOD = "livelihood", "生活困难", "Livelihood"
    ENVIRONMENT = "environment", "环境卫生", "Environment and hygiene"
    PROPERTY = "property", "物业管理", "Property management"
    SAFETY = "safety", "安全隐患", "Safety"
    DISPUTE = "dispute", "矛盾纠纷", "Disputes"
    HEALTH = "health", "医疗养老", "Health and old age"
    EDUCATION = "education", "教育就业", "Education and employment"
    POLICY = "policy", "政策咨询", "Questions on policy"
    OTHER = "other", "其他", "Other"


class Urgency(CodeList):
    """紧急程度."""

    NORMAL = "normal", "一般", "Normal"
    URGENT = "urgent", "紧急", "Urgent"
    CRITICAL = "critical", "特急", "Critical"


class VisitStatus(CodeList):
    """办理状态."""

    RECORDED = "recorded", "无需办理", "Nothing to settle"
    PENDING = "pending", "待办理", "To be handled"
    HANDLING = "handling", "办理中", "Being handled"
    HANDLED = "handled", "待回访", "To be confirmed"
    CLOSED = "closed", "已办结", "Closed"


class TaskKind(CodeList):
    """任务类别."""

    KEY = "key", "重点任务", "Key task"
    ROUTINE = "routine", "日常工作", "Routine"
    ASSESSMENT = "assessment", "考核材料", "Material for an assessment"
    STATISTICS = "statistics", "统计报送", "Statistics"
    RECTIFICATION = "rectification", "整改督办", "Rectification"


class TaskTier(CodeList):
    """任务级别."""

    CITY = "city", "市级", "City"
    DISTRICT = "district", "区级", "District"
    STREET = "street", "街镇", "Street or town"
    BRANCH = "branch", "支部", "Branch"


class TaskTargets(CodeList):
    """下达对象."""

    CHILDREN = "children", "直属下级党组织", "Organizations directly below"
    BRANCHES = "branches", "所辖全部支部", "All branches below"
    ONE = "one", "指定一个党组织", "One organization"


class TaskStatus(CodeList):
    """任务状态."""

    DRAFT = "draft", "草稿", "Draft"
    ISSUED = "issued", "已下达", "Issued"
    CLOSED = "closed", "已办结", "Closed"
    CANCELLED = "cancelled", "已取消", "Cancelled"


class ReportStatus(CodeList):
    """办理状态. Being overdue is a date of its own (``overdue_on``): an overdue task is still signed for and done."""

    TO_SIGN = "to_sign", "待签收", "To be signed for"
    IN_PROGRESS = "in_progress", "办理中", "In progress"
    SUBMITTED = "submitted", "待审", "Submitted"
    RETURNED = "returned", "退回", "Returned"
    DONE = "done", "完成", "Done"
    CANCELLED = "cancelled", "已取消", "Cancelled"


class AssessmentStatus(CodeList):
    """考核状态."""

    DRAFT = "draft", "待自评", "Own score awaited"
    SELF_SCORED = "self_scored", "待评议", "To be scored"
    PUBLICISED = "publicised", "公示中", "Publicised"
    OBJECTED = "objected", "复核中", "Under review"
    FINAL = "final", "已确定", "Final"
