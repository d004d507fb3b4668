"""Members, and the posts they hold.

Source of fields: the import template of the national member base, and 《中国共产党党员教育管理工作条例》.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, relationship

from app.domains.organizations.models import Organization
from app.entity.code_lists import CodeList
from app.entity.faults import FieldError
from app.entity.fields import code, code_of, day, encrypted, flag, hash_of, money, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.related import Related
from app.entity.visibility import Visibility

from .checks import born_on, compact_identity_number, gender_of, identity_number_faults, member_faults, post_faults


class Gender(CodeList):
    """GB/T 2261.1."""

    UNKNOWN = "0", "未知", "Unknown"
    MALE = "1", "男", "Male"
    FEMALE = "2", "女", "Female"
    UNSTATED = "9", "未说明", "Unstated"


class Education(CodeList):
    """GB/T 4658, families."""

    GRADUATE = "10", "研究生", "Graduate"
    BACHELOR = "20", "大学本科", "Bachelor"
    COLLEGE = "30", "大学专科", "Junior college"
    SECONDARY_VOCATIONAL = "40", "中专", "Secondary vocational"
    TECHNICAL = "47", "技校", "Technical school"
    SENIOR_HIGH = "60", "高中", "Senior high"
    JUNIOR_HIGH = "70", "初中", "Junior high"
    PRIMARY = "80", "小学", "Primary"
    OTHER = "90", "其他", "Other"


class MemberType(CodeList):
    """人员类别."""

    FULL = "full", "正式党员", "Full member"
    PROBATIONARY = "probationary", "预备党员", "Probationary member"


class MembershipStatus(CodeList):
    """党籍状态."""

    NORMAL = "normal", "正常", "Normal"
    RETAINED = "retained", "保留党籍", "Retained"
    RESTORED = "restored", "恢复党籍", "Restored"
    SUSPENDED = "suspended", "停止党籍", "Suspended"
    EXPELLED = "expelled", "开除党籍", "Expelled"
    LEFT = "left", "出党", "Left"


class PartyPost(CodeList):
    """党内职务 as a member's own attribute: which yearly study hours are due."""

    SECRETARY = "secretary", "书记", "Secretary"
    DEPUTY_SECRETARY = "deputy_secretary", "副书记", "Deputy secretary"
    COMMITTEE = "committee", "委员", "Committee member"
    NONE = "none", "无", "None"


@registry.register
class Member(Entity):
    """A Party member, in one organization at a time."""

    __tablename__ = "bc_member"
    __entity__ = EntityOptions(
        label=Label("党员", "Member"),
        about=Label(
            "党员名册：每名党员一条，属于一个党组织。",
            "The register of members: one record for each, in one organization.",
        ),
        visibility=Visibility.SUBTREE,
        title="name",
        state="membership_status",
        group="records",
        icon="fa-users",
        person="self",
        valid_between=("joined_on", "left_on"),
        dated_by="joined_on",
        order_by="code",
        measure="名",
        alike=(("id_no",), ("name", "birth_date")),
        copied_in=True,
    )

    code: Mapped[str] = code("党员编号", "Code", searched=True)
    name: Mapped[str] = text("姓名", "Name", 60, listed=True, searched=True, index=True)
    organization_id: Mapped[int] = reference("organization", "所在党组织", "Organization", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    group_id: Mapped[int | None] = reference("organization", "党小组", "Party group")
    group: Mapped[Organization | None] = relationship(foreign_keys=[group_id])
    gender: Mapped[Gender | None] = code_of(Gender, "性别", "Gender")
    ethnicity: Mapped[str | None] = text("民族", "Ethnicity", 20)
    id_no: Mapped[str | None] = encrypted("公民身份号码", "Identity number")
    id_no_hash: Mapped[str | None] = hash_of("id_no", unique=True)
    birth_date: Mapped[date | None] = day("出生日期", "Date of birth", sensitive=True)
    education: Mapped[Education | None] = code_of(Education, "学历", "Education", listed=True)
    degree: Mapped[str | None] = text("学位", "Degree", 30)
    member_type: Mapped[MemberType] = code_of(
        MemberType, "人员类别", "Member type", default=MemberType.FULL, listed=True, filtered=True
    )
    joined_on: Mapped[date | None] = day("入党日期", "Joined on", listed=True, index=True)
    regularized_on: Mapped[date | None] = day("转正日期", "Became full member on")
    membership_status: Mapped[MembershipStatus] = code_of(
        MembershipStatus, "党籍状态", "Membership status", default=MembershipStatus.NORMAL, listed=True, filtered=True
    )
    status_since: Mapped[date | None] = day("党籍状态起始日", "Status since")
    left_on: Mapped[date | None] = day("离开日期", "Left on")
    party_post: Mapped[PartyPost] = code_of(PartyPost, "党内职务", "Party post", default=PartyPost.NONE, filtered=True)
    mobile: Mapped[str | None] = encrypted("手机号", "Mobile number", listed=True)
    mobile_hash: Mapped[str | None] = hash_of("mobile")
    employer: Mapped[str | None] = text("工作单位", "Employer", 120)
    job: Mapped[str | None] = text("工作岗位", "Job", 60)
    job_title: Mapped[str | None] = text("专业技术职务", "Professional title", 60)
    is_employed: Mapped[bool] = flag("在职", "Employed", default=True)
    is_floating: Mapped[bool] = flag("流动党员", "Floating", filtered=True)
    flow_destination: Mapped[str | None] = text("流向", "Destination", 120)
    flow_out_on: Mapped[date | None] = day("流出日期", "Flowed out on")
    flow_in_on: Mapped[date | None] = day("流入日期", "Flowed in on")
    is_lost: Mapped[bool] = flag("失联党员", "Out of contact")
    lost_on: Mapped[date | None] = day("失联日期", "Out of contact since")
    community_id: Mapped[int | None] = reference("organization", "报到社区", "Community reported to")
    community: Mapped[Organization | None] = relationship(foreign_keys=[community_id])
    checked_in_on: Mapped[date | None] = day("社区报到日期", "Reported to the community on")
    is_hardship: Mapped[bool] = flag("困难党员", "In hardship")
    needs_check: Mapped[bool] = flag("信息待核", "Information to be verified")
    fee_base: Mapped[Decimal | None] = money("党费计算基数", "Fee base", restricted="income")
    fee_base_set_on: Mapped[date | None] = day("基数核定日期", "Fee base set on")
    fee_monthly: Mapped[Decimal | None] = money("月应缴党费", "Monthly fee", restricted="income")
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (
        CheckConstraint("left_on IS NULL OR joined_on IS NULL OR left_on >= joined_on", name="ck_member_left"),
        CheckConstraint(
            "regularized_on IS NULL OR joined_on IS NULL OR regularized_on > joined_on", name="ck_member_regularized"
        ),
    )

    def fill_in(self, related: Related) -> None:
        if self.id_no:
            self.id_no = compact_identity_number(self.id_no)
            if not any(identity_number_faults(self.id_no)):
                self.birth_date = self.birth_date or born_on(self.id_no)
                self.gender = self.gender or Gender(gender_of(self.id_no))

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return member_faults(self, related)


class PostKind(CodeList):
    """党内职务."""

    SECRETARY = "secretary", "书记", "Secretary"
    DEPUTY_SECRETARY = "deputy_secretary", "副书记", "Deputy secretary"
    ORGANIZATION = "organization", "组织委员", "Organization member"
    PUBLICITY = "publicity", "宣传委员", "Publicity member"
    DISCIPLINE = "discipline", "纪检委员", "Discipline member"
    UNITED_FRONT = "united_front", "统战委员", "United front member"
    YOUTH = "youth", "青年委员", "Youth member"
    COMMITTEE = "committee", "其他委员", "Committee member"
    GROUP_LEADER = "group_leader", "党小组组长", "Group leader"


class Accession(CodeList):
    """How an office was come by."""

    ELECTED = "elected", "选举", "Elected"
    APPOINTED = "appointed", "任命", "Appointed"


@registry.register
class Post(Entity):
    """An office and the member who holds it, from one day until another."""

    __tablename__ = "bc_post"
    __entity__ = EntityOptions(
        label=Label("任职", "Post"),
        about=Label(
            "书记、委员等任职：谁、任什么职务、从哪天到哪天。",
            "Posts such as secretary or committee member: who holds which, from when until when.",
        ),
        visibility=Visibility.SUBTREE,
        title="post",
        group="records",
        icon="fa-id-badge",
        person="member",
        valid_between=("started_on", "ended_on"),
        dated_by="started_on",
        natural_key=("organization", "post", "member", "started_on"),
        order_by="-started_on",
        measure="项",
        copied_in=True,
    )

    code: Mapped[str] = code("编号", "Code")
    organization_id: Mapped[int] = reference("organization", "党组织", "Organization", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int | None] = reference("member", "任职党员", "Member", listed=True)
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    post: Mapped[PostKind] = code_of(PostKind, "职务", "Post", listed=True, filtered=True)
    accession: Mapped[Accession | None] = code_of(Accession, "产生方式", "Elected or appointed", listed=True)
    is_concurrent: Mapped[bool] = flag("兼任", "Concurrent")
    started_on: Mapped[date] = day("任职日期", "Started on", listed=True, filtered=True)
    ended_on: Mapped[date | None] = day("免职日期", "Ended on", listed=True, filtered=True)
    is_demonstration: Mapped[bool] = flag("演示数据", "Demonstration", editable=False)

    __table_args__ = (CheckConstraint("ended_on IS NULL OR ended_on >= started_on", name="ck_post_dates"),)

    def find_faults(self, related: Related) -> Iterator[FieldError]:
        return post_faults(self, related)
