"""What tests of collecting share: a small tree of organizations, rows to order, and a rule made of metrics alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, delete, insert

import app.domains.all  # noqa: F401 - declares the entities
from app.entity.filters import parse_filter
from app.entity.labels import Label
from app.entity.periods import Period
from app.entity.registry import registry
from app.rules.collecting import collect
from app.rules.context import Context
from app.rules.expression_parser import parse_expression
from app.rules.model import Aggregate, Metric, Warning, Window, WindowKind

AS_OF = date(2026, 9, 30)
TREE = {1: None, 2: 1, 3: 1, 4: 2, 5: 2, 6: 3, 7: 4}
"""Organizations by id, with their parents: 1 is the root, 7 a group four levels down."""


def path_of(organization: int) -> str:
    parent = TREE[organization]
    return f"{path_of(parent) if parent else '/'}{organization}/"


def below(organization: int) -> set[int]:
    """The organization and all below it."""
    return {one for one in TREE if path_of(one).startswith(path_of(organization))}


@dataclass
class NoResults:
    """A provider of results that are given."""

    indices: Mapping[str, tuple[str, pl.DataFrame]] = field(default_factory=dict)
    standing: pl.DataFrame | None = None
    asked: list[Any] = field(default_factory=list)

    def index(self, code: str, as_of: date, back: int = 0, *, subjects: Sequence[int] | None = None) -> pl.DataFrame:
        self.asked.append((code, as_of, back))
        return self.indices[code][1]

    def index_subject(self, code: str, as_of: date) -> str:
        return self.indices[code][0]

    def warnings(
        self,
        as_of: date,
        *,
        start: date | None = None,
        end: date | None = None,
        within: tuple[str, Sequence[int]] | None = None,
    ) -> pl.DataFrame:
        self.asked.append((as_of, start, end))
        assert self.standing is not None
        return self.standing


class NoState:
    def present(self) -> pl.DataFrame:
        return pl.DataFrame(schema={"subject_id": pl.Int64, "present": pl.String})

    def held(self, condition: str) -> pl.DataFrame:
        return pl.DataFrame(schema={"subject_id": pl.Int64, "since": pl.Date})


def window_of(text: str, back: int = 0) -> Window:
    if text[0].isdigit():
        kind = {"d": WindowKind.DAYS, "m": WindowKind.MONTHS, "y": WindowKind.YEARS}[text[-1]]
        return Window(kind, int(text[:-1]))
    return Window(WindowKind(text), 0, back)


def metric(name: str, **written: Any) -> Metric:
    """A metric as a rule file writes it: ``metric("held", count="meeting", where={...})``."""
    aggregate = next(Aggregate(key) for key in written if key in set(Aggregate))
    entity = written[aggregate]
    source = registry.get(entity)

    def filter_of(key: str) -> Any:
        return parse_filter(written[key], source) if key in written else None

    return Metric(
        name,
        aggregate,
        entity,
        parse_expression(written["of"]) if "of" in written else None,
        written.get("weight"),
        filter_of("where"),
        filter_of("among"),
        written.get("via"),
        written.get("over") == "subtree",
        window_of(written.get("window", "all"), written.get("back", 0)),
    )


def rule_of(*metrics: Metric, subject: str = "organization", **more: Any) -> Warning:
    return Warning("test", Label("测试", "Test"), subject, "test.yaml", "0" * 64, metrics=tuple(metrics), **more)


def collected(
    connection: Connection,
    rule: Warning,
    *,
    as_of: date = AS_OF,
    period: str | None = "2026",
    subjects: list[int] | None = None,
    results: NoResults | None = None,
) -> pl.DataFrame:
    context = Context(as_of, Period.parse(period) if period else None)
    return collect(
        connection, rule, registry, context, subjects=subjects, results=results or NoResults(), state=NoState()
    )


def figures(frame: pl.DataFrame, name: str) -> dict[int, Any]:
    """A metric by subject."""
    return dict(frame.select("subject_id", f"m.{name}").iter_rows())


def fill(engine: Engine, **rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows by entity, below the tree of organizations; what a row does not say is harmless."""
    organizations = [
        {
            "id": one,
            "code": f"O{one}",
            "name": f"Organization {one}",
            "parent_id": parent,
            "path": path_of(one),
            "unit_type": "soe" if one % 2 else "private",
        }
        for one, parent in TREE.items()
    ]
    with engine.begin() as connection:
        for entity, given in {"organization": organizations, **rows}.items():
            for row in given:
                connection.execute(
                    insert(registry[entity].model.__table__).values(HARMLESS.get(entity, {}) | dict(row))
                )


def clear(engine: Engine) -> None:
    """Remove all rows again."""
    with engine.begin() as connection:
        for table in reversed(registry["organization"].model.metadata.sorted_tables):
            if table.name.removeprefix("bc_") in registry and table.name != "bc_organization":
                connection.execute(delete(table))
        table = registry["organization"].model.__table__
        for one in sorted(TREE, reverse=True):
            connection.execute(delete(table).where(table.c.id == one))


HARMLESS: dict[str, dict[str, Any]] = {
    "meeting": {"topic": "Topic", "kind": "lecture", "status": "planned"},
    "member": {"name": "Name"},
    "fee_payment": {"due": 10},
    "study_record": {"title": "Title"},
    "post": {"post": "secretary"},
    "appraisal": {"period": "2026"},
    "observation": {"holder_id": 1},
    "commendation": {"holder_id": 1, "kind": "commendation", "title": "Title"},
}
