"""Code lists of regional partnership. The categories are this project's convention."""

from __future__ import annotations

from app.entity.code_lists import CodeList


class PartnershipCategory(CodeList):
    """类别 of resources and demands."""

    VENUE = "venue", "场地设施", "Venues and facilities"
    TEACHING = "teaching", "师资讲座", "Teachers and lectures"
    HEALTH = "health", "医疗健康", "Health"
    CULTURE = "culture", "文体活动", "Culture and sports"
    LAW = "law", "法律咨询", "Legal advice"
    CARE = "care", "助老助残", "Help for the elderly and disabled"
    YOUTH = "youth", "青少年教育", "Education of young people"
    EMPLOYMENT = "employment", "就业创业", "Employment and start-ups"
    ENVIRONMENT = "environment", "环境治理", "Environment"
    SAFETY = "safety", "平安建设", "Public safety"
    FUNDS = "funds", "资金物资", "Funds and goods"
    SCIENCE = "science", "科普", "Popular science"
    VOLUNTEERS = "volunteers", "志愿人力", "Volunteers"


class Audience(CodeList):
    """服务对象."""

    EVERYONE = "everyone", "全体居民", "All residents"
    ELDERLY = "elderly", "老年人", "The elderly"
    CHILDREN = "children", "儿童和青少年", "Children and young people"
    DISABLED = "disabled", "残疾人", "Disabled people"
    HARDSHIP = "hardship", "困难家庭", "Families in hardship"
    NEW_WORKERS = "new_workers", "新就业群体", "Workers in new forms of employment"
    ENTERPRISES = "enterprises", "企业和社会组织", "Enterprises and social organizations"
    MEMBERS = "members", "党员", "Party members"


class ResourceStatus(CodeList):
    """资源状态."""

    DRAFT = "draft", "草稿", "Draft"
    OPEN = "open", "可对接", "On offer"
    WITHDRAWN = "withdrawn", "已下架", "Withdrawn"


class DemandStatus(CodeList):
    """需求状态."""

    DRAFT = "draft", "草稿", "Draft"
    OPEN = "open", "待对接", "Open"
    MATCHED = "matched", "已对接", "Matched"
    MET = "met", "已满足", "Met"
    WITHDRAWN = "withdrawn", "已撤回", "Withdrawn"


class MatchState(CodeList):
    """对接状态."""

    SUGGESTED = "suggested", "推荐", "Suggested"
    AGREED = "agreed", "已对接", "Agreed"
    REFUSED = "refused", "拒绝", "Refused"
    PROJECT = "project", "转项目", "Became a project"


class ProjectStatus(CodeList):
    """项目状态."""

    PLANNED = "planned", "筹备", "Planned"
    ONGOING = "ongoing", "实施中", "Under way"
    DONE = "done", "已完成", "Done"
    STOPPED = "stopped", "终止", "Stopped"


class HighlightTier(CodeList):
    """亮点级别: who chose it as an example for others."""

    STREET = "street", "街镇", "Street or town"
    DISTRICT = "district", "区级", "District"
    CITY = "city", "市级", "City"
