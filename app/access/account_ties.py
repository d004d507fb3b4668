"""Whom an account acts for: the organization and the member, found as IT staff type.

IT staff see no rows. Of organizations they find names and codes, which every superior's page shows; a member they find
by their whole name or the beginning of their code, and are told no more than it takes to know the right one: the name
with all but its first character hidden, the code, the organization.
"""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for
from markupsafe import Markup
from sqlalchemy import or_, select
from wtforms import Field

from app.entity.labels import Label
from app.entity.registry import registry

from .language import words
from .masking import HIDDEN

ENTITIES = ("organization", "member")
MOST_CHOICES = 20
SHORTEST_CODE = 3
"""Characters of a member's code from which on members are looked for by it."""
UNKNOWN = Label("没有这个选项，请重新选择", "There is no such choice, choose again")

Choice = dict[str, str]
"""``value`` (the row's id), ``text``, ``hint``: as the console's search-as-you-type fields take them."""


def find(entity: str, row_id: int) -> Choice | None:
    """The row of this id."""
    model: Any = registry[entity].model
    found = _choices(entity, model.__table__.c.id == row_id)
    return found[0] if found else None


def search(entity: str, text: str) -> list[Choice]:
    """The first rows that a text names."""
    text = text.replace("\0", "").strip()[:100]
    columns = registry[entity].model.__table__.c
    if entity == "organization":
        return _choices(
            entity, or_(columns.name.contains(text, autoescape=True), columns.code.startswith(text, autoescape=True))
        )
    names = [columns.name == text]
    if len(text) >= SHORTEST_CODE:
        names.append(columns.code.startswith(text, autoescape=True))
    return _choices(entity, or_(*names)) if text else []


def _choices(entity: str, condition: Any) -> list[Choice]:
    table = registry[entity].model.__table__
    organizations = registry["organization"].model.__table__.alias("place")
    place = table.c.parent_id if entity == "organization" else table.c.organization_id
    statement = (
        select(table.c.id, table.c.name, table.c.code, organizations.c.name.label("place"))
        .outerjoin(organizations, organizations.c.id == place)
        .where(condition)
        .order_by(table.c.name, table.c.id)
        .limit(MOST_CHOICES)
    )
    # Past the row scope, which lets IT staff see nothing: these names and codes are all they get.
    connection = current_app.appbuilder.session().connection()
    return [
        {
            "value": str(row.id),
            "text": row.name if entity == "organization" else row.name[:1] + HIDDEN * (len(row.name) - 1),
            "hint": " · ".join(part for part in (row.code, row.place) if part),
        }
        for row in connection.execute(statement)
    ]


class TieField(Field):
    """A row of an entity, found while typing. Holds its id."""

    def __init__(self, *arguments: Any, entity: str, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.entity = entity

    def process_formdata(self, valuelist: list[str]) -> None:
        raw = valuelist[0].strip() if valuelist else ""
        self.data = None
        if raw:
            known = find(self.entity, int(raw)) if raw.isascii() and raw.isdigit() and len(raw) < 10 else None
            if known is None:
                raise ValueError(words(UNKNOWN))
            self.data = int(raw)

    def populate_obj(self, obj: Any, name: str) -> None:
        if getattr(obj, name) != self.data:
            setattr(obj, name, self.data)

    def __call__(self, **keywords: Any) -> Markup:
        chosen = find(self.entity, self.data) if self.data else None
        option = Markup('<option value="{value}" selected>{text}（{hint}）</option>').format(**chosen) if chosen else ""
        given = {"id": self.id, "name": self.name, "class": "form-control", **keywords}
        given["data-ajax"] = url_for("AccountView.ties", entity=self.entity)
        attributes = Markup(" ").join(
            Markup('{}="{}"').format(name.replace("_", "-") if name.startswith("aria") else name, value)
            for name, value in given.items()
            if value not in (None, False)
        )
        return Markup('<select {}><option value=""></option>{}</select>').format(attributes, option)
