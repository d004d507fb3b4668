"""Attachments: a file's name, kind and place; its content lies in DATA_DIR under its hash (``operations``)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, relationship

from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.fields import code, moment, number, reference, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.visibility import Visibility


@registry.register
class Attachment(Entity):
    """A file of one record of any entity. It belongs to the organization and the member that its record belongs to,
    and follows when that changes; on the record's own page it is seen by whoever sees the record."""

    __tablename__ = "bc_attachment"
    __entity__ = EntityOptions(
        label=Label("附件", "Attachment"),
        about=Label(
            "各条记录的附件都在这里；在记录页面的“附件”处上传。",
            "The files attached to records; they are added on a record's own page.",
        ),
        visibility=Visibility.SUBTREE,
        title="name",
        group="records",
        icon="fa-paperclip",
        person="member",
        dated_by="uploaded_at",
        order_by="-uploaded_at",
        measure="个",
        read_only=True,
    )

    code: Mapped[str] = code("编号", "Code")
    name: Mapped[str] = text("文件名", "File name", 200, listed=True, searched=True)
    organization_id: Mapped[int] = reference("organization", "党组织", "Organization", listed=True)
    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    member_id: Mapped[int | None] = reference("member", "党员", "Member")
    member: Mapped[Member | None] = relationship(foreign_keys=[member_id])
    record_entity: Mapped[str] = text("所属记录类别", "Kind of record", 40, hidden=True)
    record_id: Mapped[int] = number("所属记录", "Record", hidden=True)
    media_type: Mapped[str] = text("类型", "Type", 100)
    byte_count: Mapped[int] = number("大小", "Size", listed=True, unit=("字节", "bytes"))
    content_hash: Mapped[str] = text("内容摘要", "Content hash", 64, hidden=True, index=True)
    uploaded_by: Mapped[str] = text("上传人", "Uploaded by", 128, listed=True)
    uploaded_at: Mapped[datetime] = moment("上传时间", "Uploaded at", listed=True, filtered=True)

    __table_args__ = (Index("ix_attachment_record", "record_entity", "record_id"),)
