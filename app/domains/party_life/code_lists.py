"""Code lists of Party life.

Sources: 《中国共产党支部工作条例（试行）》, 《党费收缴、使用和管理的规定》, the Party Constitution (punishments).
"""

from __future__ import annotations

from app.entity.code_lists import CodeList


class MeetingKind(CodeList):
    """组织生活类型."""

    BRANCH_ASSEMBLY = "branch_assembly", "支部党员大会", "Branch assembly"
    BRANCH_COMMITTEE = "branch_committee", "支部委员会会议", "Branch committee"
    GROUP_MEETING = "group_meeting", "党小组会", "Party group meeting"
    LECTURE = "lecture", "党课", "Party lecture"
    THEME_DAY = "theme_day", "主题党日", "Theme day"
    ORG_LIFE_MEETING = "org_life_meeting", "组织生活会", "Organizational life meeting"
    DEMOCRATIC_APPRAISAL = "democratic_appraisal", "民主评议党员", "Democratic appraisal"
    HEART_TALK = "heart_talk", "谈心谈话", "Heart-to-heart talk"
    THEORY_STUDY = "theory_study", "理论学习", "Theory study"
    OTHER = "other", "其他", "Other"


class MeetingStatus(CodeList):
    """状态. Being reviewed is a date of its own (``reviewed_on``), so that a reviewed meeting still counts as held."""

    PLANNED = "planned", "计划", "Planned"
    HELD = "held", "已召开", "Held"
    RETURNED = "returned", "退回", "Returned"
    CANCELLED = "cancelled", "取消", "Cancelled"


class LecturerPost(CodeList):
    """授课人职务."""

    SECRETARY = "secretary", "书记", "Secretary"
    DEPUTY_SECRETARY = "deputy_secretary", "副书记", "Deputy secretary"
    COMMITTEE = "committee", "委员", "Committee member"
    SUPERIOR = "superior", "上级领导", "Superior"
    MEMBER = "member", "党员", "Member"
    EXPERT = "expert", "专家学者", "Expert"
    OTHER = "other", "其他", "Other"


class AttendanceStatus(CodeList):
    """到会情况."""

    EXPECTED = "expected", "应到", "Expected"
    PRESENT = "present", "出席", "Present"
    LEAVE = "leave", "请假", "On leave"
    ABSENT = "absent", "缺席", "Absent"


class FeeChannel(CodeList):
    """交纳方式."""

    CASH = "cash", "现金", "Cash"
    TRANSFER = "transfer", "转账", "Bank transfer"
    WECHAT = "wechat", "微信", "WeChat"
    ALIPAY = "alipay", "支付宝", "Alipay"
    PARTY_FEE_SERVICE = "party_fee_pass", "党费通", "Party fee service"


class ExemptReason(CodeList):
    """免交原因."""

    HARDSHIP = "hardship", "生活困难，经批准免交", "Hardship, approved"
    NOT_YET_DUE = "not_yet_due", "尚未起缴", "Not yet due"
    PAID_ELSEWHERE = "paid_elsewhere", "在其他组织交纳", "Paid in another organization"
    OTHER = "other", "其他，经批准", "Other, approved"


class CourseCategory(CodeList):
    """课程类别."""

    THEORY = "theory", "政治理论", "Political theory"
    CONSTITUTION = "constitution", "党章党规党纪", "Constitution and discipline"
    PURPOSE = "purpose", "党的宗旨", "Purpose"
    TRADITION = "tradition", "革命传统", "Tradition"
    POLICY = "policy", "形势政策", "Policy"
    SKILLS = "skills", "知识技能", "Knowledge and skills"
    OTHER = "other", "其他", "Other"


class CourseStatus(CodeList):
    """状态."""

    DRAFT = "draft", "草稿", "Draft"
    PUBLISHED = "published", "已发布", "Published"
    WITHDRAWN = "withdrawn", "已下架", "Withdrawn"


class StudySource(CodeList):
    """学时来源."""

    OFFLINE = "offline", "线下", "Offline"
    ONLINE = "online", "线上", "Online"
    XUEXI = "xuexi", "学习强国", "Xuexi Qiangguo"
    IMPORT = "import", "导入", "Imported"


class AppraisalGrade(CodeList):
    """评议等次."""

    EXCELLENT = "excellent", "优秀", "Excellent"
    QUALIFIED = "qualified", "合格", "Qualified"
    BASICALLY = "basically", "基本合格", "Basically qualified"
    UNQUALIFIED = "unqualified", "不合格", "Unqualified"


class AppraisalStatus(CodeList):
    """状态."""

    DRAFT = "draft", "草稿", "Draft"
    SUBMITTED = "submitted", "已提交", "Submitted"
    APPROVED = "approved", "已审定", "Approved"


class CommendationKind(CodeList):
    """奖惩类别."""

    COMMENDATION = "commendation", "表彰", "Commendation"
    PUNISHMENT = "punishment", "处分", "Punishment"
    FRAUD = "fraud", "弄虚作假", "Fraud"
    PUNISHMENT_NOTICE = "punishment_notice", "违纪通报", "Notice of an offence"


class CommendationTier(CodeList):
    """级别: who commended or punished."""

    BRANCH = "branch", "支部", "Branch"
    STREET = "street", "街镇", "Street or town"
    DISTRICT = "district", "区级", "District"
    CITY = "city", "市级", "City"
    NATIONAL = "national", "国家级", "National"


class PunishmentGrade(CodeList):
    """党内处分种类."""

    WARNING = "warning", "警告", "Warning"
    SERIOUS_WARNING = "serious_warning", "严重警告", "Serious warning"
    REMOVED = "removed", "撤销党内职务", "Removed from Party posts"
    PROBATION = "probation", "留党察看", "Probation within the Party"
    EXPELLED = "expelled", "开除党籍", "Expelled"
