"""Parameters and metrics of a rule file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.entity.filters.columns import Source
from app.entity.periods import PeriodKind
from app.entity.registry import Registry

from .expressions import Expression, Name
from .model import Aggregate, Figure, Metric, Parameter, Window, WindowKind
from .reading import Place, listed
from .result_columns import INDEX_SOURCE, WARNING_SOURCE, Catalogue, warning_columns

DATE_NAMES = ("as_of", "period_start", "period_end", "year_start", "year_end")
RESERVED_NAMES = (*DATE_NAMES, "elapsed")
"""Names that mean something of their own in every expression."""
PERIOD_NAMES = ("period_start", "period_end", "elapsed")
"""Those that only a rule with a period knows."""

AGGREGATES = tuple(str(aggregate) for aggregate in Aggregate)
METRIC_KEYS = ("of", "weight", "where", "among", "via", "over", "window", "back", "label")
WITHOUT_OF = (Aggregate.COUNT, Aggregate.EXISTS, Aggregate.STREAK)
CALENDAR_WINDOWS = (
    WindowKind.PERIOD,
    WindowKind.MONTH,
    WindowKind.QUARTER,
    WindowKind.HALF_YEAR,
    WindowKind.YEAR,
)
_WINDOW_WORDS = (*map(str, CALENDAR_WINDOWS), "90d", "12m", "1y", "current", "all")
_LENGTH = re.compile(r"([1-9]\d{0,4})([dmy])")
_LENGTH_KINDS = {"d": WindowKind.DAYS, "m": WindowKind.MONTHS, "y": WindowKind.YEARS}


@dataclass(frozen=True)
class Surroundings:
    """What the parts of a rule have to know of the rest: entities, other rules, whether there is a period."""

    entities: Registry
    catalogue: Catalogue
    subject: str | None
    """The subject's entity code; None if there is no such entity."""
    period: PeriodKind | None

    @property
    def subject_columns(self) -> Source | None:
        return self.entities.get(self.subject) if self.subject else None


def parse_parameters(place: Place) -> tuple[Parameter, ...]:
    """``name: number`` or ``name: {by: column, values: {code: number}, default: number}``."""
    parameters = []
    for name, entry in place.entries("{name: number}").items():
        entry.name()
        _refuse_reserved(entry, name)
        if not entry.is_mapping:
            parameters.append(Parameter(name, entry.number(), line=entry.line))
            continue
        fields = entry.fields(("by", "values", "default"), ("by", "values"))
        parameters.append(
            Parameter(
                name,
                fields["default"].number() if "default" in fields else None,
                fields["by"].text() if "by" in fields else None,
                {key: value.number() for key, value in fields["values"].entries("{code: number}").items()}
                if "values" in fields
                else {},
                entry.line,
            )
        )
    return tuple(parameters)


def parse_metrics(place: Place, around: Surroundings) -> tuple[Metric | Figure, ...]:
    """Aggregates (mappings) and figures computed from those above them (strings)."""
    metrics: list[Metric | Figure] = []
    for name, entry in place.entries("{name: {count: entity}}").items():
        entry.name()
        _refuse_reserved(entry, name)
        if entry.is_mapping:
            metrics.append(_metric(name, entry, around))
        else:
            metrics.append(Figure(name, entry.expression(), entry.line))
    return tuple(metrics)


def _refuse_reserved(entry: Place, name: str) -> None:
    if name in RESERVED_NAMES:
        entry.fault(
            f"“{name}”在每个表达式里已有含义，请换一个名称",
            f"“{name}” already means something in every expression; choose another name",
        )


def _metric(name: str, place: Place, around: Surroundings) -> Metric:
    keys = place.fields((*AGGREGATES, *METRIC_KEYS))
    aggregates = [key for key in keys if key in AGGREGATES]
    if len(aggregates) != 1:
        found = listed(aggregates)
        place.fault(
            f"要恰好写一种汇总（{listed(AGGREGATES)}），这里有：{found}",
            f"expected exactly one of {listed(AGGREGATES)}; found: {found}",
        )
        return Metric(name, Aggregate.COUNT, "")
    aggregate = Aggregate(aggregates[0])
    entity = keys[aggregates[0]].word((*(known.code for known in around.entities), INDEX_SOURCE, WARNING_SOURCE))
    _refuse_misplaced(place, keys, aggregate, entity)
    of = _of(keys["of"], aggregate, entity) if "of" in keys else None
    columns = _columns(keys, entity, of, around)
    has_period = around.period is not None
    return Metric(
        name,
        aggregate,
        entity,
        of,
        keys["weight"].text() if "weight" in keys else None,
        keys["where"].filter(columns, around.entities, has_period) if "where" in keys else None,
        keys["among"].filter(columns, around.entities, has_period) if "among" in keys else None,
        keys["via"].text() if "via" in keys else None,
        "over" in keys and keys["over"].word(("own", "subtree")) == "subtree",
        _window(keys, entity, has_period),
        place.line,
        keys["label"].label() if "label" in keys else None,
    )


def _refuse_misplaced(place: Place, keys: dict[str, Place], aggregate: Aggregate, entity: str) -> None:
    """Keys that this aggregate or source does not take, and those it needs."""
    needs_of = aggregate not in WITHOUT_OF or entity == INDEX_SOURCE
    if needs_of and "of" not in keys:
        what = ("指数的代码，如 of: CODE 或 of: CODE.node", "an index, as in of: CODE or of: CODE.node")
        if entity != INDEX_SOURCE:
            what = ("一列", "a column")
        place.fault(f"{aggregate} 要用 of 指明{what[0]}", f"{aggregate} needs of: {what[1]}")
    misplaced = {
        "of": not needs_of,
        "weight": aggregate is not Aggregate.AVERAGE or entity in (INDEX_SOURCE, WARNING_SOURCE),
        "among": aggregate is not Aggregate.STREAK,
        "via": entity == WARNING_SOURCE,
    }
    for key, is_wrong in misplaced.items():
        if is_wrong and key in keys:
            keys[key].fault(f"{aggregate}: {entity} 不用“{key}”", f"{aggregate}: {entity} takes no “{key}”")
    if aggregate is Aggregate.STREAK and "where" not in keys:
        place.fault("streak 要用 where 说明什么算一次", "streak needs where: what counts as one of the row")


def _of(place: Place, aggregate: Aggregate, entity: str) -> Expression:
    if entity == INDEX_SOURCE:
        # The code of an index need not look like a name of an expression.
        return Name(place.text())
    expression = place.expression()
    if aggregate in (Aggregate.DISTINCT, Aggregate.LATEST) and not isinstance(expression, Name):
        place.fault(f"{aggregate} 只能用一列", f"{aggregate} takes a column, not arithmetic")
    return expression


def _columns(keys: dict[str, Place], entity: str, of: Expression | None, around: Surroundings) -> Source | None:
    """What ``where`` may name; None if that is unknown, which has been said."""
    if entity == WARNING_SOURCE:
        return warning_columns(around.catalogue.warnings, around.entities)
    if entity != INDEX_SOURCE:
        return around.entities.get(entity)
    if not isinstance(of, Name):
        return None
    code, _, column = of.path.partition(".")
    results = around.catalogue.indices.get(code)
    if results is None:
        keys["of"].unknown_word(code, sorted(around.catalogue.indices))
        return None
    columns = results.columns
    if column and column not in columns.columns:
        keys["of"].unknown_word(column, list(columns.columns))
    return columns


def _window(keys: dict[str, Place], entity: str, has_period: bool) -> Window:
    kind, length, back = WindowKind.ALL, 0, 0
    if "back" in keys:
        back = keys["back"].integer(least=1)
    if "window" in keys:
        place = keys["window"]
        text = place.text()
        if found := _LENGTH.fullmatch(text):
            kind, length = _LENGTH_KINDS[found[2]], int(found[1])
        elif text in set(WindowKind) and text not in ("days", "months", "years"):
            kind = WindowKind(text)
        elif text:
            place.unknown_word(text, _WINDOW_WORDS)
        if kind is WindowKind.PERIOD and not has_period:
            place.fault("规则没有 period，不能用 window: period", "window: period needs a rule with a period")
    # An index has periods of its own, which ``back`` alone counts.
    if back and kind not in CALENDAR_WINDOWS and not (entity == INDEX_SOURCE and kind is WindowKind.ALL):
        keys["back"].fault(
            f"back 只和整段的时间窗一起用：window: {listed(CALENDAR_WINDOWS)}",
            f"back goes with a window of whole units only: {listed(CALENDAR_WINDOWS)}",
        )
    return Window(kind, length, back)
