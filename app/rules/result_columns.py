"""What metrics over ``index`` and ``warning`` may name: the columns of published results, and which rules there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from app.entity.filters import Column, FrameColumns
from app.entity.labels import Label
from app.entity.registry import FieldKind, Registry, registry

from .model import SEVERITY, Index, Light, Rule, Warning

INDEX_SOURCE, WARNING_SOURCE = "index", "warning"
"""The two metric sources that are no entities."""

LIGHT_CODES = tuple(str(light) for light in SEVERITY)


@dataclass(frozen=True)
class IndexResults:
    """What other rules may know of an index: whom it scores and which nodes it has."""

    code: str
    subject: str
    nodes: tuple[str, ...] = ()

    @property
    def columns(self) -> FrameColumns:
        """The columns of its results: ``score``, ``light``, ``rank``, ``peer_rank`` and every node's score."""
        found = {node: _column(node, FieldKind.DECIMAL) for node in self.nodes}
        found["score"] = _column("score", FieldKind.DECIMAL)
        found["light"] = _column("light", FieldKind.CODE, (*LIGHT_CODES, str(Light.NO_DATA)))
        found["rank"] = _column("rank", FieldKind.INTEGER)
        found["peer_rank"] = _column("peer_rank", FieldKind.INTEGER)
        return FrameColumns(Label(f"指数 {self.code}", f"index {self.code}"), found)


@dataclass(frozen=True)
class Catalogue:
    """The rules that other rules may refer to."""

    indices: Mapping[str, IndexResults] = field(default_factory=lambda: MappingProxyType({}))
    warnings: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Catalogue:
        rules = list(rules)
        return cls(
            {
                rule.code: IndexResults(rule.code, rule.subject, tuple(node.code for node in rule.root.walk())[1:])
                for rule in rules
                if isinstance(rule, Index)
            },
            frozenset(rule.code for rule in rules if isinstance(rule, Warning)),
        )


def warning_columns(warnings: Collection[str], entities: Registry = registry) -> FrameColumns:
    """The columns of standing warnings: ``warning``, ``level``, ``entity`` and ``since``."""
    return FrameColumns(
        Label("预警", "warning"),
        {
            "warning": _column("warning", FieldKind.CODE, tuple(sorted(warnings))),
            "level": _column("level", FieldKind.CODE, LIGHT_CODES),
            "entity": _column("entity", FieldKind.CODE, tuple(entity.code for entity in entities)),
            "since": _column("since", FieldKind.DATE),
        },
    )


def _column(name: str, kind: FieldKind, codes: tuple[str, ...] | None = None) -> Column:
    return Column(name, name, kind, Label(name, name), codes=codes)
