"""Results of other rules and the state, in a rule test: those the case gives, else those computed from its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from app.entity.periods import Period

from .case_parsing import Case, Given
from .case_rows import CaseRows
from .frames import SUBJECT_ID
from .model import Index, Metric, Rule
from .result_columns import INDEX_SOURCE

_PLACES = {"subject_id": pl.Int64, "organization_id": pl.Int64, "member_id": pl.Int64}
_WARNING_SCHEMA = {
    "warning": pl.String,
    "level": pl.String,
    "entity": pl.String,
    "since": pl.Date,
    "until": pl.Date,
    **_PLACES,
}


@dataclass
class CaseResults:
    """What the rules of a case read from others. ``for_rule`` binds it to the rule that reads."""

    case: Case
    rows: CaseRows
    rules: dict[str, Rule]
    reader: Rule | None = None
    computed: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Results by code: of indices and warnings."""

    def for_rule(self, rule: Rule) -> CaseResults:
        return replace(self, reader=rule)

    def index_subject(self, code: str, as_of: date) -> str:
        # Given results are tied already: to the subject of the rule that reads them.
        if code in self.case.results and self.reader is not None:
            return self.reader.subject
        return self.rules[code].subject

    def index(self, code: str, as_of: date, back: int = 0, *, subjects: Sequence[int] | None = None) -> pl.DataFrame:
        rule = self.rules[code]
        wanted = Period.containing(as_of, rule.period).shifted(-back) if rule.period else None
        current = Period.containing(self.case.as_of, rule.period) if rule.period else None
        if code in self.case.results:
            return self._given_index(rule, self.case.results[code], wanted, current)
        if code in self.computed and wanted == current:
            return self.computed[code]
        return pl.DataFrame(schema={**_PLACES, "score": pl.Float64, "light": pl.String})

    def _given_index(
        self, rule: Rule, given: list[Given], wanted: Period | None, current: Period | None
    ) -> pl.DataFrame:
        nodes = [node.code for node in rule.root.walk()][1:] if isinstance(rule, Index) else []
        schema = {
            **dict.fromkeys(nodes, pl.Float64),
            "score": pl.Float64,
            "light": pl.String,
            "rank": pl.Int64,
            "peer_rank": pl.Int64,
        }
        records = []
        for position, item in enumerate(given):
            period = Period.parse(str(item.values["period"])) if "period" in item.values else current
            if period == wanted:
                record = {name: item.values.get(name) for name in schema}
                records.append({**record, SUBJECT_ID: self._tied_to(rule, item, position, len(given))})
        return pl.DataFrame(records, schema={**schema, SUBJECT_ID: pl.Int64}, strict=False)

    def _tied_to(self, rule: Rule, item: Given, position: int, count: int) -> int | None:
        """The id of the reading rule's subject that a given result belongs to: that of the row it names by ``code``,
        or of the row at the same position if there are as many, else the only subject."""
        assert self.reader is not None
        ids = self.rows.given_ids(rule.subject)
        code = item.values.get("code")
        own = self.rows.id_of(rule.subject, str(code)) if code is not None else None
        if own is None and len(ids) == count:
            own = ids[position]
        if own is not None:
            tied = own if rule.subject == self.reader.subject else self._owner(rule.subject, own)
            if tied is not None:
                return tied
        subjects = self.rows.given_ids(self.reader.subject)
        if len(subjects) != 1:
            item.place.fault("要用 code 写明是谁的结果", "say with code whose result it is")
            return None
        return subjects[0]

    def _owner(self, entity: str, identity: int) -> int | None:
        assert self.reader is not None
        tie = self.rows.entities[entity].tie_to(self.reader.subject)
        return self.rows.value(entity, identity, f"{tie}_id") if tie else None

    def warnings(
        self,
        as_of: date,
        *,
        start: date | None = None,
        end: date | None = None,
        within: tuple[str, Sequence[int]] | None = None,
    ) -> pl.DataFrame:
        first, last = start or as_of, end or as_of
        frame = self._given_warnings() if self.case.warnings is not None else self._computed_warnings()
        stands = (pl.col("since") <= last) & (pl.col("until").is_null() | (pl.col("until") > first))
        return frame.filter(stands).drop("until")

    def _given_warnings(self) -> pl.DataFrame:
        assert self.reader is not None
        subjects = self.rows.given_ids(self.reader.subject)
        records = []
        for item in self.case.warnings or ():
            code = item.values.get("code")
            subject = self.rows.id_of(self.reader.subject, str(code)) if code is not None else None
            if subject is None and len(subjects) != 1:
                item.place.fault("要用 code 写明是谁的预警", "say with code whose warning it is")
                continue
            subject = subject or subjects[0]
            warning = item.values.get("warning")
            of = self.rules[str(warning)].subject if warning in self.rules else self.reader.subject
            records.append(
                {
                    "warning": warning or "",
                    "level": item.values.get("level"),
                    "entity": item.values.get("entity") or of,
                    "since": item.values.get("since") or self.case.as_of,
                    "until": item.values.get("until"),
                    **dict.fromkeys(_PLACES, subject),
                }
            )
        return pl.DataFrame(records, schema=_WARNING_SCHEMA)

    def _computed_warnings(self) -> pl.DataFrame:
        frames = [pl.DataFrame(schema=_WARNING_SCHEMA)]
        for code, frame in self.computed.items():
            if "level" in frame.columns:
                frames.append(
                    frame.filter(pl.col("level").is_not_null()).select(
                        pl.lit(code).alias("warning"),
                        "level",
                        pl.lit(self.rules[code].subject).alias("entity"),
                        pl.lit(self.case.as_of).alias("since"),
                        pl.lit(None, dtype=pl.Date).alias("until"),
                        *_PLACES,
                    )
                )
        return pl.concat(frames, how="vertical_relaxed")

    def with_places(self, rule: Rule, results: pl.DataFrame) -> pl.DataFrame:
        """Results with ``organization_id`` and ``member_id``, as those that are published have them."""
        entity = self.rows.entities[rule.subject]
        options = entity.options
        owner, person = options.scope or options.owner, options.person
        ids = results[SUBJECT_ID].to_list()

        def column(relation: str | None) -> list[int | None]:
            if relation == "self":
                return list(ids)
            return [self.rows.value(rule.subject, each, f"{relation}_id") if relation else None for each in ids]

        return results.with_columns(
            pl.Series("organization_id", column(owner), dtype=pl.Int64),
            pl.Series("member_id", column(person), dtype=pl.Int64),
        )


def with_tied_results(rule: Rule, case: Case) -> Rule:
    """The rule with metrics over given results freed of their ``via``: given results are tied already."""

    def freed(metric: object) -> object:
        if isinstance(metric, Metric) and metric.entity == INDEX_SOURCE and metric.via and metric.of is not None:
            code = str(getattr(metric.of, "path", "")).partition(".")[0]
            return replace(metric, via=None) if code in case.results else metric
        return metric

    return replace(rule, metrics=tuple(freed(metric) for metric in rule.metrics))


@dataclass(frozen=True)
class CaseState:
    """The present light and held conditions that a case sets, for every subject of the rule it tests."""

    case: Case
    rows: CaseRows
    rule: Rule

    def present(self) -> pl.DataFrame:
        is_meant = self.rule.code == self.case.rule.code and self.case.previous is not None
        ids = self.rows.given_ids(self.rule.subject) if is_meant else []
        return pl.DataFrame(
            {SUBJECT_ID: ids, "present": [self.case.previous] * len(ids)},
            schema={SUBJECT_ID: pl.Int64, "present": pl.String},
        )

    def held(self, condition: str) -> pl.DataFrame:
        since = self.case.held_since
        day = since.get(condition) if isinstance(since, dict) else since
        is_meant = self.rule.code == self.case.rule.code and day is not None
        ids = self.rows.given_ids(self.rule.subject) if is_meant else []
        return pl.DataFrame(
            {SUBJECT_ID: ids, "since": [day] * len(ids)}, schema={SUBJECT_ID: pl.Int64, "since": pl.Date}
        )
