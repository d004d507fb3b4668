"""Which column of a file is which field: by the field's name, its label in either language, or a relation's code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.entity.labels import Label
from app.entity.registry import EntityType, Field, FieldKind, Relation

from .faults import Fault

CODE_SUFFIXES = ("_code", "代码", "编号", "编码", " code")


@dataclass(frozen=True)
class Column:
    """A column of a file. ``relation`` is set where its cells hold codes of rows of another entity."""

    position: int
    heading: str
    field: Field
    relation: Relation | None = None


def columns_of(entity: EntityType) -> list[tuple[str, Label, Field, Relation | None]]:
    """Every column that files of an entity can have: (name, label, field, relation)."""
    columns: list[tuple[str, Label, Field, Relation | None]] = []
    for name, field in entity.fields.items():
        if field.kind is FieldKind.REFERENCE:
            relation = entity.relations[name.removesuffix("_id")]
            label = Label(f"{relation.label.zh}代码", f"{relation.label.en} code")
            columns.append((f"{relation.name}_code", label, field, relation))
        else:
            columns.append((name, field.label, field, None))
    return columns


def match(entity: EntityType, heading: Sequence[str], heading_row: int) -> tuple[list[Column], list[Fault]]:
    """The file's columns, and what is wrong with its heading: unknown names and names that stand twice."""
    known: dict[str, tuple[Field, Relation | None]] = {}
    for name, label, field, relation in columns_of(entity):
        for written in (name, label.zh, label.en):
            known.setdefault(_plain(written), (field, relation))
        if relation is not None:
            for written in (relation.label.zh, relation.label.en, relation.name):
                known.setdefault(_plain(written), (field, relation))
    found: list[Column] = []
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    for position, text in enumerate(heading):
        if not text:
            continue
        match_ = known.get(_plain(text))
        if match_ is None:
            allowed = "、".join(label.zh for _name, label, _field, _relation in columns_of(entity))
            names = ", ".join(name for name, _label, _field, _relation in columns_of(entity))
            faults.append(
                Fault(
                    heading_row,
                    text,
                    Label(
                        f"{entity.label.zh}没有“{text}”这一列；可以用：{allowed}",
                        f"{entity.label.en} has no column “{text}”; there are: {names}",
                    ),
                )
            )
            continue
        field, relation = match_
        if field.name in seen:
            faults.append(
                Fault(
                    heading_row,
                    text,
                    Label(f"与“{seen[field.name]}”是同一列，请只留一个", f"is the same column as “{seen[field.name]}”"),
                )
            )
            continue
        seen[field.name] = text
        found.append(Column(position, text, field, relation))
    return found, faults


def _plain(text: str) -> str:
    return "".join(text.split()).casefold().rstrip("*＊")
