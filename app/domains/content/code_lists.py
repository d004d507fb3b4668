"""Code lists of articles and surveys."""

from __future__ import annotations

from app.entity.code_lists import CodeList


class ArticleKind(CodeList):
    """文章类别."""

    NEWS = "news", "工作动态", "News"
    NOTICE = "notice", "通知公告", "Notice"
    EXPERIENCE = "experience", "经验交流", "Experience shared"
    POLICY = "policy", "政策文件", "Policy"
    MODEL = "model", "先进典型", "Models"


class ArticleStatus(CodeList):
    """文章状态."""

    DRAFT = "draft", "草稿", "Draft"
    PUBLISHED = "published", "已发布", "Published"
    WITHDRAWN = "withdrawn", "已撤下", "Withdrawn"


class SurveyKind(CodeList):
    """问卷类别."""

    SATISFACTION = "satisfaction", "满意度测评", "Satisfaction"
    APPRAISAL = "appraisal", "党员群众评议", "Appraisal by members and residents"
    OPINION = "opinion", "意见征集", "Opinions"


class SurveyStatus(CodeList):
    """问卷状态."""

    DRAFT = "draft", "草稿", "Draft"
    OPEN = "open", "调查中", "Open"
    CLOSED = "closed", "已结束", "Closed"


class AnswerChannel(CodeList):
    """答卷来源."""

    ONLINE = "online", "本人在线", "Online"
    PAPER = "paper", "纸质代录", "Entered from paper"


class Rating(CodeList):
    """评分. The codes are numbers of points, from 1 to 5."""

    VERY_SATISFIED = "5", "很满意", "Very satisfied"
    SATISFIED = "4", "满意", "Satisfied"
    FAIR = "3", "一般", "Fair"
    DISSATISFIED = "2", "不满意", "Dissatisfied"
    VERY_DISSATISFIED = "1", "很不满意", "Very dissatisfied"
