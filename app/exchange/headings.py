"""Which column of a file is which field: by the field's name, its label in either language, or a relation's code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.entity.labels import Label
from app.entity.registry import EntityType, Field, FieldKind, Relation, registry

from .faults import Fault

REASON = Label("错误原因", "What is wrong")
"""The column that files of faulty rows carry; it is passed over when they come back."""
_PASSED_OVER = {"错误原因", "whatiswrong", "序号", "no.", "no"}


_Known = tuple[Field, Relation | None, int]
"""What a name stands for: a field, its relation, and how exact the name is (0 is most)."""


@dataclass(frozen=True)
class Column:
    """A column of a file. ``relation`` is set where its cells hold codes or names of rows of another entity."""

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


def offered(entity: EntityType) -> list[tuple[str, Label, Field, Relation | None]]:
    """The columns that people fill in: those that the system does not set itself."""
    return [column for column in columns_of(entity) if column[2].options.editable]


def is_known(entity: EntityType, heading: str) -> bool:
    """Whether a text names a column of an entity."""
    return _find(_names(entity.code, registry.version), heading) is not None


def match(entity: EntityType, heading: Sequence[str], heading_row: int) -> tuple[list[Column], list[Fault]]:
    """The file's columns, and what is wrong with its heading: unknown names and names that stand twice."""
    known = _names(entity.code, registry.version)
    found: list[Column] = []
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    for position, text in enumerate(heading):
        if not text or _plain(text) in _PASSED_OVER - known.keys():
            continue
        match_ = _find(known, text)
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
        field, relation, _ = match_
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


def guess(entity: EntityType, heading: Sequence[str], earlier: Mapping[str, str] | None = None) -> dict[int, str]:
    """The field name by position, as far as a heading tells; ``earlier`` is what its owner chose before, by heading.

    Of two columns that could be one field the more exact one is taken: codes before names.
    """
    known = _names(entity.code, registry.version)
    chosen: dict[str, tuple[int, int]] = {}
    for position, text in enumerate(heading):
        name, rank = (earlier or {}).get(text), -1
        if name is not None and name not in entity.fields:
            name = ""
        if name is None:
            match_ = _find(known, text)
            if match_ is None:
                continue
            name, rank = match_[0].name, match_[2]
        if name and (name not in chosen or rank < chosen[name][1]):
            chosen[name] = (position, rank)
    return {position: name for name, (position, _) in chosen.items()}


def columns_from(entity: EntityType, heading: Sequence[str], chosen: Mapping[int, str]) -> list[Column]:
    """The columns of a choice such as ``guess`` gives."""
    found = []
    for position, name in sorted(chosen.items()):
        field = entity.fields[name]
        relation = entity.relations.get(name.removesuffix("_id")) if field.kind is FieldKind.REFERENCE else None
        found.append(Column(position, heading[position], field, relation))
    return found


def heading_key(heading: Iterable[str]) -> str:
    """The same for files with the same set of headings, in whatever order."""
    names = "\n".join(sorted({_plain(text) for text in heading if text}))
    return hashlib.sha256(names.encode()).hexdigest()[:32]


@lru_cache(maxsize=256)
def _names(code: str, _version: int) -> dict[str, _Known]:
    entity = registry[code]
    known: dict[str, _Known] = {}
    for name, label, field, relation in columns_of(entity):
        for written in (name, label.zh, label.en):
            known.setdefault(_plain(written), (field, relation, 0))
        if relation is not None:
            for written in (relation.label.zh, relation.label.en, relation.name):
                known.setdefault(_plain(written), (field, relation, 1))
            for written in (f"{relation.label.zh}编号", f"{relation.label.zh}编码"):
                known.setdefault(_plain(written), (field, relation, 0))
    return known


def _plain(text: str) -> str:
    return "".join(text.split()).casefold().strip("*＊:：")


def _find(known: Mapping[str, _Known], text: str) -> _Known | None:
    """By its whole text, else by what stands before a bracket: 入党日期（支部大会通过）."""
    plain = _plain(text)
    return known.get(plain) or known.get(re.split(r"[（(]", plain, maxsplit=1)[0])
