"""Organizations.

Source of fields and codes: 《中国共产党支部工作条例（试行）》, 《关于党的基层组织任期的意见》 (terms).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import CheckConstraint, inspect
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database.types import PathType
from app.entity.code_lists import CodeList
from app.entity.faults import FieldError
from app.entity.fields import FieldOptions, code, code_of, day, flag, number, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.related import Related
from app.entity.visibility import Visibility

from .checks import organization_faults, years_later


class OrganizationTier(CodeList):
    """Levels of the tree; the codes are those of ``app.entity.visibility.Tier``."""

    CITY = "city", "市级", "City"
    DISTRICT = "district", "区级", "District"
    STREET = "street", "街镇", "Street or town"
    BRANCH = "branch", "支部", "Branch"
    GROUP = "group", "党小组", "Party group"


class OrganizationType(CodeList):
    """组织类别."""

    COMMITTEE = "committee", "党委", "Committee"
    WORK_COMMITTEE = "work_committee", "党工委", "Work committee"
    LEADING_GROUP = "leading_group", "党组", "Leading group"
    GENERAL_BRANCH = "general_branch", "党总支", "General branch"
    BRANCH = "branch", "党支部", "Branch"
    JOINT_BRANCH = "joint_branch", "联合党支部", "Joint branch"
    TEMPORARY_BRANCH = "temp_branch", "临时党支部", "Temporary branch"
    GROUP = "group", "党小组", "Party group"


class UnitType(CodeList):
    """单位类别: the domain in which an organization works; its peers."""

    AGENCY = "agency", "机关", "Government agency"
    INSTITUTION = "institution", "事业单位", "Public institution"
    STREET = "street", "街道", "Street"
    COMMUNITY = "community", "社区（居委）", "Community"
    VILLAGE = "village", "建制村", "Village"
    STATE_OWNED = "soe", "国有企业", "State-owned enterprise"
    PRIVATE = "private", "非公企业", "Private enterprise"
    SOCIAL = "social_org", "社会组织", "Social organization"
    SCHOOL = "school", "中小学", "School"
    COLLEGE = "college", "高校", "College"
    HOSPITAL = "hospital", "医院", "Hospital"
    RETIRED = "retired", "离退休", "Retired"
    OTHER = "other", "其他", "Other"


class OrganizationStatus(CodeList):
    """状态."""

    ACTIVE = "active", "正常", "Active"
    PREPARING = "preparing", "筹建", "Preparing"
    RECTIFYING = "rectifying", "软弱涣散（整顿）", "Under rectification"
    DISSOLVED = "dissolved", "撤销", "Dissolved"


@registry.register
class Organization(Entity):
    """A Party organization. The tree is kept in ``parent_id`` and, for scope, in ``path``: the ids from the root down
    to the row itself, ``/1/15/240/``. ``app.domains.organizations.operations`` keeps the path of whole subtrees."""

    __tablename__ = "bc_organization"
    __entity__ = EntityOptions(
        label=Label("党组织", "Organization"),
        about=Label(
            "区、街镇、党支部和党小组，按隶属关系排成一棵树；党员、会议、考核都挂在它们之下。",
            "The district's organizations in their tree: members, meetings and assessments belong to one of them.",
        ),
        visibility=Visibility.SUBTREE,
        title="name",
        group="records",
        icon="fa-sitemap",
        owner="self",
        valid_between=("founded_on", "dissolved_on"),
        alike=(("name",),),
        order_by="code",
        measure="个",
        refers_to_wider=True,
    )

    code: Mapped[str] = code("党组织代码", "Code", listed=True, searched=True)
    name: Mapped[str] = text("党组织名称", "Name", 120, listed=True, searched=True, index=True)
    short_name: Mapped[str | None] = text("简称", "Short name", 60, searched=True)
    parent_id: Mapped[int | None] = reference("organization", "上级党组织", "Parent organization", listed=True)
    parent: Mapped[Organization | None] = relationship(remote_side="Organization.id", foreign_keys=[parent_id])
    territory_id: Mapped[int | None] = reference(
        "organization",
        "属地党组织",
        "Territory",
        help=("不在本条线上、但所在地的党组织；属地工作人员也能看到", "The organization of the place where it lies"),
    )
    territory: Mapped[Organization | None] = relationship(remote_side="Organization.id", foreign_keys=[territory_id])
    path: Mapped[str] = mapped_column(
        PathType,
        default="",
        index=True,
        info={"field": FieldOptions(Label("路径", "Path"), hidden=True, editable=False)},
    )
    tier: Mapped[OrganizationTier] = code_of(
        OrganizationTier, "层级", "Tier", default=OrganizationTier.BRANCH, listed=True, filtered=True
    )
    org_type: Mapped[OrganizationType | None] = code_of(
        OrganizationType, "组织类别", "Organization type", listed=True, filtered=True
    )
    unit_type: Mapped[UnitType | None] = code_of(UnitType, "单位类别", "Unit type", listed=True, filtered=True)
    status: Mapped[OrganizationStatus] = code_of(
        OrganizationStatus, "状态", "Status", default=OrganizationStatus.ACTIVE, listed=True, filtered=True
    )
    status_since: Mapped[date | None] = day("状态起始日", "Status since")
    division_code: Mapped[str | None] = text(
        "行政区划代码",
        "Division code",
        12,
        pattern=r"\d{2,12}",
        help=("统计用 12 位代码", "Statistical code"),
        index=True,
    )
    external_code: Mapped[str | None] = text("外部系统代码", "External code", 60)
    unit_name: Mapped[str | None] = text("依托单位", "Host unit", 120)
    uscc: Mapped[str | None] = text("统一社会信用代码", "Unified social credit code", 18)
    founded_on: Mapped[date | None] = day("成立日期", "Founded on")
    approval_no: Mapped[str | None] = text("批准文号", "Approval number", 60)
    term_no: Mapped[int | None] = number("届次", "Term number")
    term_years: Mapped[int | None] = number("任期年限", "Term in years", unit=("年", "years"))
    elected_on: Mapped[date | None] = day("本届选举日期", "Elected on")
    term_ends_on: Mapped[date | None] = day("到届日期", "Term ends on", filtered=True)
    extension_approval: Mapped[str | None] = text("延期批准文号", "Extension approval", 60)
    extended_to: Mapped[date | None] = day("延期至", "Extended to")
    expires_on: Mapped[date | None] = day("临时党支部到期日", "Temporary branch expires on")
    rectify_by: Mapped[date | None] = day("整顿期限", "Rectify by")
    phone: Mapped[str | None] = text("联系电话", "Telephone", 30)
    address: Mapped[str | None] = text("地址", "Address", 200)
    lng: Mapped[float | None] = number("经度", "Longitude")
    lat: Mapped[float | None] = number("纬度", "Latitude")
    dissolved_on: Mapped[date | None] = day("撤销日期", "Dissolved on")
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    # That no organization is its own parent is checked with all other cycles: MariaDB takes no generated id in a CHECK.
    __table_args__ = (
        CheckConstraint(
            "dissolved_on IS NULL OR founded_on IS NULL OR dissolved_on >= founded_on", name="ck_organization_dates"
        ),
    )

    def fill_in(self, related: Related) -> None:
        if self.uscc:
            self.uscc = self.uscc.upper()
        history = inspect(self).attrs
        is_new_term = history["elected_on"].history.has_changes() and not history["term_ends_on"].history.has_changes()
        if self.elected_on and self.term_years and (is_new_term or not self.term_ends_on):
            self.term_ends_on = years_later(self.elected_on, self.term_years)

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return organization_faults(self, related)
