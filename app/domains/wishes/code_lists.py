"""Code lists of wishes.

Sources: public pages of Shanghai districts (wishes of goods and of services); the states are this project's convention.
"""

from __future__ import annotations

from app.entity.code_lists import CodeList


class WishCategory(CodeList):
    """心愿类别."""

    GOODS = "goods", "实物类", "Goods"
    SERVICE = "service", "服务类", "Services"
    COMPANY = "company", "陪伴类", "Company"
    LEARNING = "learning", "学习类", "Learning"
    EMPLOYMENT = "employment", "岗位就业", "Employment"
    OTHER = "other", "其他", "Other"


class BeneficiaryKind(CodeList):
    """心愿人类别."""

    MEMBER = "member", "困难党员", "Member in hardship"
    ELDERLY = "elderly", "独居老人", "Elderly living alone"
    DISABLED_ELDERLY = "frail", "失能老人", "Frail elderly"
    DISABLED = "disabled", "残疾人", "Disabled"
    CHILD = "child", "儿童", "Child"
    LOW_INCOME = "low_income", "低保家庭", "Low-income household"
    NEW_EMPLOYMENT = "new_employment", "新就业群体", "New forms of employment"
    OTHER = "other", "其他", "Other"


class WishStatus(CodeList):
    """状态."""

    DRAFT = "draft", "草稿", "Draft"
    SUBMITTED = "submitted", "待审核", "To be reviewed"
    RETURNED = "returned", "已退回", "Returned"
    OPEN = "published", "待认领", "To be claimed"
    CLAIMED = "claimed", "待对接", "Claimed, no contact yet"
    IN_PROGRESS = "in_progress", "实现中", "Under way"
    DELIVERED = "delivered", "待确认", "To be confirmed"
    REALISED = "realised", "已实现", "Realised"
    WITHDRAWN = "withdrawn", "已下架", "Withdrawn"


class ClaimantKind(CodeList):
    """认领方."""

    MEMBER = "member", "党员", "Member"
    ORGANIZATION = "organization", "党组织", "Party organization"
    UNIT = "unit", "单位", "Unit"
    PUBLIC = "resident", "群众", "Resident"


class ClaimStatus(CodeList):
    """状态."""

    ACTIVE = "active", "已认领", "Claimed"
    CONTACTED = "contacted", "已对接", "In contact"
    DELIVERED = "delivered", "待确认", "To be confirmed"
    REALISED = "realised", "已实现", "Realised"
    CANCELLED = "cancelled", "已取消", "Cancelled"
    REVOKED = "revoked", "已撤销", "Revoked"
    EXPIRED = "expired", "超时回池", "Expired, back in the pool"


class PointReason(CodeList):
    """积分事由."""

    WISH_REALISED = "wish_realised", "实现微心愿", "Wish realised"
    ACTIVITY = "activity", "参加志愿活动", "Volunteer activity"
    REDEEMED = "redeemed", "积分兑换", "Redeemed"
    CORRECTION = "correction", "更正", "Correction"
