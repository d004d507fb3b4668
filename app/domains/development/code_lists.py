"""Code lists of transfers and of the development of members.

Sources: 《中国共产党党员教育管理工作条例》 (transfers), 《中国共产党发展党员工作细则》 (stages).
"""

from __future__ import annotations

from app.entity.code_lists import CodeList


class TransferKind(CodeList):
    """转接类型."""

    WITHIN = "within_city", "市内转接", "Within the city"
    ACROSS = "across_provinces", "跨省（区、市）转接", "Across provinces"
    INCOMING = "incoming", "市外转入", "From outside"
    OUTGOING = "outgoing", "转往市外", "To outside"


class TransferStatus(CodeList):
    """状态."""

    DRAFT = "draft", "待开具", "Not issued yet"
    ISSUED = "issued", "待接收", "Issued"
    RECEIVED = "received", "已接收", "Received"
    RETURNED = "returned", "已退回", "Returned"
    EXPIRED = "expired", "已过期", "Expired"
    CANCELLED = "cancelled", "已撤销", "Cancelled"


class DevelopmentStage(CodeList):
    """发展阶段: follows from the dates of the case."""

    APPLICANT = "applicant", "入党申请人", "Applicant"
    ACTIVIST = "activist", "入党积极分子", "Activist"
    PROSPECT = "prospect", "发展对象", "Prospect"
    PROBATIONARY = "probationary", "预备党员", "Probationary member"
    FULL = "full", "已转正", "Full member"
    ENDED = "ended", "已终止", "Ended"


class ReviewKind(CodeList):
    """考察类型."""

    ACTIVIST = "activist", "积极分子半年考察", "Activist, half-yearly"
    PROBATION = "probation", "预备期考察", "Probation"


class ReviewResult(CodeList):
    """考察意见."""

    QUALIFIED = "qualified", "合格，继续培养", "Qualified, goes on"
    IMPROVE = "improve", "需改进", "To improve"
    UNQUALIFIED = "unqualified", "不合格", "Unqualified"
