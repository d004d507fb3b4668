"""Whether the metrics of a rule can be worked out, and what kind of value each yields."""

from __future__ import annotations

from collections.abc import Sequence

from app.entity.filters import All, Filter
from app.entity.filters.columns import Source
from app.entity.labels import UserError
from app.entity.registry import EntityType

from .expression_types import DATE, NUMBER, SHARE, TRUTH, UNKNOWN, Kind, Scope, Type, infer
from .expressions import Expression, Name
from .ground import NO_PERIOD, Ground
from .metric_parsing import CALENDAR_WINDOWS, DATE_NAMES, PERIOD_NAMES
from .model import Aggregate, Figure, Metric, WindowKind
from .problems import PathSteps
from .result_columns import INDEX_SOURCE, WARNING_SOURCE, warning_columns
from .row_expressions import FUNCTIONS as ROW_FUNCTIONS
from .row_source import tie_of


def check_metric(metric: Metric, ground: Ground) -> Type:
    """Tell what is wrong with an aggregate, and what type its values have."""
    place: PathSteps = ("metrics", metric.name)
    columns, entity = _source(metric, ground)
    if columns is None:
        return UNKNOWN
    _check_tie(metric, entity, ground, place)
    _check_window(metric, columns, ground, place)
    of = _type_of(metric, columns, ground, place)
    if metric.weight is not None:
        weight = infer(Name(metric.weight), _row_scope(columns, ground), ground.tell_at(*place, "weight"))
        if not weight.is_numeric:
            ground.fault((*place, "weight"), "weight 要是数", "weight has to be a number")
    return _result_type(metric, of, ground, place)


def _source(metric: Metric, ground: Ground) -> tuple[Source | None, EntityType | None]:
    """The columns that the metric may name, and the entity of its rows (for an index, of its subjects)."""
    if metric.entity == WARNING_SOURCE:
        return warning_columns(ground.catalogue.warnings, ground.entities), None
    if metric.entity != INDEX_SOURCE:
        entity = ground.entities.get(metric.entity)
        return entity, entity
    code = metric.of.path.partition(".")[0] if isinstance(metric.of, Name) else ""
    results = ground.catalogue.indices.get(code)
    return (results.columns, ground.entities.get(results.subject)) if results else (None, None)


def _check_tie(metric: Metric, entity: EntityType | None, ground: Ground, place: PathSteps) -> None:
    if metric.over_subtree and ground.subject.code != "organization":
        ground.fault(
            (*place, "over"), "over: subtree 只用于党组织", "over: subtree is for organizations as subjects only"
        )
        return
    is_own_result = metric.entity == INDEX_SOURCE and entity is ground.subject and metric.via is None
    if entity is None or is_own_result:
        return
    try:
        tie_of(entity, ground.subject.code, metric.via, subtree=metric.over_subtree, entities=ground.entities)
    except UserError as error:
        ground.report.add((*place, "via") if metric.via else place, error.label)


def _check_window(metric: Metric, columns: Source, ground: Ground, place: PathSteps) -> None:
    kind = metric.window.kind
    if kind is WindowKind.ALL:
        return
    if not isinstance(columns, EntityType):
        allowed = (
            CALENDAR_WINDOWS
            if metric.entity == INDEX_SOURCE
            else (*CALENDAR_WINDOWS, WindowKind.DAYS, WindowKind.MONTHS, WindowKind.YEARS)
        )
        if kind not in allowed:
            ground.fault(
                (*place, "window"), f"{metric.entity} 不用这种 window", f"{metric.entity} takes no such window"
            )
        return
    if kind is WindowKind.CURRENT:
        if columns.options.valid_between is None:
            ground.fault(
                (*place, "window"),
                f"“{columns.label.zh}”（{columns.code}）没有起止日期，不能用 current",
                f"{columns.code} has no from and until dates, so current does not fit it",
            )
    elif columns.options.dated_by is None:
        ground.fault(
            (*place, "window"),
            f"“{columns.label.zh}”（{columns.code}）没有日期，只能用 window: all",
            f"{columns.code} has no date; its only window is all",
        )


def _row_scope(columns: Source, ground: Ground) -> Scope:
    dates = [name for name in DATE_NAMES if ground.has_period or name not in PERIOD_NAMES]
    names = dict.fromkeys(dates, DATE) if isinstance(columns, EntityType) else {}
    return Scope(
        names,
        columns,
        ground.entities,
        {name: NO_PERIOD for name in PERIOD_NAMES if not ground.has_period},
        has_period=ground.has_period,
        functions=tuple(ROW_FUNCTIONS),
    )


def _type_of(metric: Metric, columns: Source, ground: Ground, place: PathSteps) -> Type:
    """The type of what is aggregated."""
    if metric.of is None:
        return UNKNOWN
    of: Expression = metric.of
    if metric.entity == INDEX_SOURCE and isinstance(of, Name):
        of = Name(of.path.partition(".")[2] or "score")
    return infer(of, _row_scope(columns, ground), ground.tell_at(*place, "of"))


def _result_type(metric: Metric, of: Type, ground: Ground, place: PathSteps) -> Type:
    match metric.aggregate:
        case Aggregate.EXISTS:
            return TRUTH
        case Aggregate.COUNT | Aggregate.DISTINCT | Aggregate.STREAK:
            if of.kind is Kind.ENCRYPTED:
                _refuse(metric, of, ground, place)
            return NUMBER
        case Aggregate.SUM | Aggregate.AVERAGE:
            if not of.is_numeric:
                _refuse(metric, of, ground, place)
            return SHARE if metric.aggregate is Aggregate.AVERAGE and of.is_share else NUMBER
        case Aggregate.MINIMUM | Aggregate.MAXIMUM:
            if of.kind not in (Kind.NUMBER, Kind.TRUTH, Kind.DATE, Kind.UNKNOWN):
                _refuse(metric, of, ground, place)
            return of
    if of.kind is Kind.ENCRYPTED:
        _refuse(metric, of, ground, place)
    return of


def _refuse(metric: Metric, of: Type, ground: Ground, place: PathSteps) -> None:
    ground.fault(
        (*place, "of"),
        f"{metric.aggregate} 不能用于{of.kind.label.zh}",
        f"{metric.aggregate} does not fit {of.kind.label.en}",
    )


def wholes_of(metrics: Sequence[Metric | Figure]) -> dict[str, frozenset[str]]:
    """For each count, the counts that count all of its rows as well: the one divided by the other never exceeds 1."""
    counts = [metric for metric in metrics if isinstance(metric, Metric) and metric.aggregate is Aggregate.COUNT]
    return {
        part.name: frozenset(whole.name for whole in counts if whole is not part and _contains(whole, part))
        for part in counts
    }


def _contains(whole: Metric, part: Metric) -> bool:
    def place(metric: Metric) -> tuple[object, ...]:
        return metric.entity, metric.of, metric.via, metric.over_subtree, metric.window

    return place(whole) == place(part) and set(_tests(whole.where)) <= set(_tests(part.where))


def _tests(condition: Filter | None) -> tuple[Filter, ...]:
    if condition is None:
        return ()
    return condition.parts if isinstance(condition, All) else (condition,)
