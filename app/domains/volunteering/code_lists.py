"""Code lists of volunteering.

Sources: 民政部《志愿服务记录与证明出具办法（试行）》, 《社区志愿者注册管理办法》第十八条 (stars).
"""

from __future__ import annotations

from app.entity.code_lists import CodeList


class VolunteerStatus(CodeList):
    """状态."""

    ACTIVE = "active", "在册", "Registered"
    PAUSED = "paused", "暂停服务", "Paused"
    LEFT = "left", "已退出", "Left"


class StarLevel(CodeList):
    """星级: by the hours served (``star_levels``)."""

    NONE = "none", "未评星级", "No star"
    ONE = "one", "一星", "One star"
    TWO = "two", "二星", "Two stars"
    THREE = "three", "三星", "Three stars"
    FOUR = "four", "四星", "Four stars"
    FIVE = "five", "五星", "Five stars"


class ActivityCategory(CodeList):
    """活动类别."""

    COMMUNITY = "community", "社区治理", "Community"
    CARE = "care", "关爱帮扶", "Care"
    ENVIRONMENT = "environment", "环境保护", "Environment"
    CULTURE = "culture", "文化体育", "Culture and sport"
    ORDER = "public_order", "平安建设", "Public safety"
    HEALTH = "health", "卫生健康", "Health"
    EDUCATION = "education", "科普教育", "Education"
    EVENT = "event", "赛会保障", "Events"
    EMERGENCY = "emergency", "应急救援", "Emergency"
    OTHER = "other", "其他", "Other"


class ActivityStatus(CodeList):
    """状态."""

    DRAFT = "draft", "草稿", "Draft"
    PUBLISHED = "published", "报名中", "Open for enrolment"
    CLOSED = "closed", "已结束", "Ended"
    CANCELLED = "cancelled", "已取消", "Cancelled"


class SignInMode(CodeList):
    """签到方式."""

    LOCATION = "location", "定位签到", "By location"
    CODE = "qr_code", "扫码签到", "By QR code"
    LEADER = "leader", "负责人代签", "By the leader"
    MANUAL = "manual", "补录", "Entered later"


class EnrolmentStatus(CodeList):
    """状态."""

    ENROLLED = "enrolled", "已报名", "Enrolled"
    WAITING = "waiting", "候补", "On the waiting list"
    ATTENDED = "attended", "已参加", "Attended"
    ABSENT = "no_show", "爽约", "Did not show up"
    CANCELLED = "cancelled", "已取消", "Cancelled"


class SignInResult(CodeList):
    """签到结果."""

    VALID = "valid", "正常", "In order"
    OUT_OF_RANGE = "out_of_range", "越界", "Out of range"
    BY_PROXY = "by_proxy", "疑似代签", "Perhaps by proxy"


class CheckInStatus(CodeList):
    """状态."""

    SIGNED_IN = "signed_in", "已签到", "Signed in"
    SIGNED_OUT = "signed_out", "待确认", "To be confirmed"
    CONFIRMED = "confirmed", "已确认", "Confirmed"
    REJECTED = "rejected", "不予认定", "Not recognized"


class ServiceRole(CodeList):
    """服务角色: what multiplies the points."""

    LEADER = "leader", "负责人", "Leader"
    TEAM = "team", "骨干", "Core team"
    VOLUNTEER = "volunteer", "志愿者", "Volunteer"
