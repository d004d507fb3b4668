"""``rules test``: every case of ``rules/tests`` through the real collecting and scoring, and what differs."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection

from app.entity.labels import UserError
from app.entity.periods import Period
from app.entity.registry import Registry, registry

from .adjustment_files import FOLDER as ADJUSTMENTS_FOLDER
from .adjustment_files import read_adjustments
from .adjustments import LocalAdjustment, applied
from .case_parsing import Case, Expectation, parse_cases
from .case_results import CaseResults, CaseState, with_tied_results
from .case_rows import CaseDatabase, CaseRows
from .collecting import collect
from .context import Calendar, Context
from .frames import SUBJECT_ID, column_of_metric
from .library import TESTS_FOLDER, read_contents, read_rules
from .model import Index, Rule, Warning
from .problems import Problem
from .reading import listed
from .rule_figures import APPLIES, Figures
from .rule_order import in_order
from .scoring import score_index, score_warning

RESULT_NAMES = ("score", "light", "grade", "rank", "peer_rank", "level", "value")
"""What an expectation can name, first of all: these, then node codes, then metrics."""

DRAFT_CASES = f"{TESTS_FOLDER}/draft.yaml"
"""Where cases that are not in the folder yet are said to stand."""

Progress = Callable[[int, int], None]


@dataclass
class TestRun:
    """What became of a folder's tests."""

    __test__ = False  # no test class of pytest's

    cases: int = 0
    failed: int = 0
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    """Differences from what was expected, and faults of the test files."""
    results: list[tuple[Case, pl.DataFrame]] = field(default_factory=list)
    """What each case came to: the results frame of its rule."""


def run_tests(rules_dir: Path, entities: Registry = registry, files: list[str] | None = None) -> TestRun:
    """Run the cases of ``rules/tests/*.yaml``, or of the ``files`` named, against the rules as they stand."""
    reading = read_rules(read_contents(rules_dir), entities=entities)
    contents = {
        file: content
        for file, content in read_cases(rules_dir).items()
        if not files or Path(file).name in files or Path(file).stem in files
    }
    adjustments = read_adjustments(read_contents(rules_dir, (ADJUSTMENTS_FOLDER,)), reading.rules)
    return run_cases(contents, with_adjusted(reading.rules, adjustments.fitting), reading.broken, entities)


def with_adjusted(rules: Mapping[str, Rule], further: Mapping[str, Rule]) -> dict[str, Rule]:
    """Rules by code, and further ones in their place; an adjustment is tested as what it makes of its index."""
    found = {**rules}
    for code, rule in further.items():
        base = rules.get(rule.base) if isinstance(rule, LocalAdjustment) else None
        found[code] = applied(base, [rule]) if isinstance(base, Index) else rule
    return found


def read_cases(rules_dir: Path) -> dict[str, bytes]:
    """The files of cases in a rules folder by their path in it."""
    return {
        f"{TESTS_FOLDER}/{path.name}": path.read_bytes() for path in sorted((rules_dir / TESTS_FOLDER).glob("*.yaml"))
    }


def run_cases(
    contents: Mapping[str, bytes],
    rules: dict[str, Rule],
    broken: Collection[str] = (),
    entities: Registry = registry,
    *,
    only: str | None = None,
) -> TestRun:
    """Run the cases of some files against these rules; ``only``: those of one rule."""
    started = time.perf_counter()
    run = TestRun()
    database = CaseDatabase(entities)
    for file, content in contents.items():
        if only is not None and file != DRAFT_CASES and only.encode() not in content:
            continue  # reading a file takes longer than its cases
        cases, problems = parse_cases(content, file, rules, broken, entities)
        run.problems += problems if only is None or file == DRAFT_CASES else []
        for case in cases:
            if only is not None and case.rule.code != only:
                continue
            run.cases += 1
            before = len(case.place.report.problems)
            results = _Test(case, rules, entities).run(database)
            if results is not None:
                run.results.append((case, results))
            found = case.place.report.problems[before:]
            run.failed += bool(found)
            run.problems += found
    run.seconds = time.perf_counter() - started
    return run


@dataclass(frozen=True)
class _Test:
    case: Case
    rules: dict[str, Rule]
    entities: Registry

    def run(self, database: CaseDatabase) -> pl.DataFrame | None:
        """Compute the case; what differs is reported at its place."""
        before = len(self.case.place.report.problems)
        try:
            with database.rows_of(self.case, self.entities) as (connection, rows):
                if len(self.case.place.report.problems) == before:
                    computed = self.evaluate(connection, rows)
                    self.compare(rows, computed)
                    return computed.results
        except UserError as error:
            self.case.place.fault(error.label.zh, error.label.en)
        return None

    def evaluate(self, connection: Connection, rows: CaseRows) -> _Computed:
        """The tested rule's results and figures, after those of the rules it reads from."""
        case = self.case
        given = set(case.results)
        if case.warnings is not None:
            given |= {code for code, rule in self.rules.items() if isinstance(rule, Warning)}
        results = CaseResults(case, rows, self.rules)
        for rule in in_order(self.rules.values(), [case.rule.code], given - {case.rule.code}):
            if rule.effective_from is not None and rule.effective_from > case.as_of:
                continue
            period = Period.containing(case.as_of, rule.period) if rule.period else None
            if rule is case.rule:
                period = case.period
            context = Context(case.as_of, period, _calendar(rows))
            bound = with_tied_results(rule, case)
            frame = collect(
                connection,
                bound,
                self.entities,
                context,
                subjects=rows.given_ids(rule.subject),
                results=results.for_rule(rule),
                state=CaseState(case, rows, rule),
            )
            if rule is case.rule:
                frame = frame.with_columns(_given_figures(case, frame))
            scored = (
                score_index(rule, frame, context).results
                if isinstance(rule, Index)
                else score_warning(rule, frame, context)
            )
            if rule is case.rule:
                return _Computed(scored, Figures(rule, frame, context).frame)
            results.computed[rule.code] = results.with_places(rule, scored)
        return _Computed(pl.DataFrame(), pl.DataFrame())

    def compare(self, rows: CaseRows, computed: _Computed) -> None:
        subjects = rows.given_ids(self.case.rule.subject)
        for expectation in self.case.expected:
            identity = self.subject_of(expectation, rows, subjects, computed)
            if identity is not None:
                self.compare_one(expectation, computed, identity)

    def subject_of(
        self, expectation: Expectation, rows: CaseRows, subjects: list[int], computed: _Computed
    ) -> int | None:
        entity = self.case.rule.subject
        if expectation.subject is not None:
            identity = rows.id_of(entity, expectation.subject)
            if identity not in subjects:
                expectation.place.fault(
                    f"没有给出代码为“{expectation.subject}”的 {entity}",
                    f"no {entity} with the code “{expectation.subject}” is given",
                )
                return None
            return identity
        if len(subjects) > 1:
            # Of several rows, the one that the rule speaks of may go without its code.
            subjects = [identity for identity in subjects if computed.applies(identity)]
        if len(subjects) != 1:
            expectation.place.fault(
                f"给出了 {len(subjects)} 个 {entity}；请在期望里按代码写明是哪个",
                f"{len(subjects)} of {entity} are given; name the one meant by its code",
            )
            return None
        return subjects[0]

    def compare_one(self, expectation: Expectation, computed: _Computed, identity: int) -> None:
        applies = computed.applies(identity)
        if expectation.name == "applies":
            if expectation.value != applies:
                _differs(expectation, applies)
            return
        if not applies and not computed.has_result(identity):
            expectation.place.fault(
                "规则不适用于这个对象（期望写作 {applies: false}）",
                "the rule does not apply to this subject (expected as {applies: false})",
            )
            return
        column = self.column_of(expectation.name, computed)
        if column is None:
            names = [*RESULT_NAMES, *self.node_codes(), *(metric.name for metric in self.case.rule.metrics)]
            expectation.place.fault(
                f"没有“{expectation.name}”；可用：{listed(names)}",
                f"there is no “{expectation.name}”; allowed: {listed(names)}",
            )
            return
        found = computed.value(column, identity)
        if expectation.name == "grade" and isinstance(self.case.rule, Index):
            found = _grade(found, self.case.rule, expectation)
        if not agrees(expectation.value, expectation.text, found):
            _differs(expectation, found)

    def node_codes(self) -> list[str]:
        rule = self.case.rule
        return [node.code for node in rule.root.walk()][1:] if isinstance(rule, Index) else []

    def column_of(self, name: str, computed: _Computed) -> str | None:
        """The column that an expected name means: the first that fits."""
        candidates = [name] if name in RESULT_NAMES else []
        if name in self.node_codes():
            candidates.append(f"{name}.score")
        candidates += [column_of_metric(name), f"{name}.points", f"{name}.held"]
        return next((column for column in candidates if computed.has(column)), None)


@dataclass(frozen=True)
class _Computed:
    """The results frame, and the subjects frame with figures and ``#applies``."""

    results: pl.DataFrame
    figures: pl.DataFrame

    def has(self, column: str) -> bool:
        return column in self.results.columns or column in self.figures.columns

    def applies(self, identity: int) -> bool:
        return self._value(self.figures, APPLIES, identity) is True

    def has_result(self, identity: int) -> bool:
        return self._value(self.results, SUBJECT_ID, identity) is not None

    def value(self, column: str, identity: int) -> Any:
        return self._value(self.results if column in self.results.columns else self.figures, column, identity)

    @staticmethod
    def _value(frame: pl.DataFrame, column: str, identity: int) -> Any:
        if column not in frame.columns:
            return None
        found = frame.filter(pl.col(SUBJECT_ID) == identity)
        return found[column][0] if found.height else None


def agrees(expected: Any, text: str, found: Any) -> bool:
    """Whether a figure is what was written: numbers to the decimals written, truth as 1 and 0, dates as dates."""
    if expected is None or found is None:
        return expected is found
    if isinstance(expected, bool):
        return found == expected and isinstance(found, bool | int | float)
    if isinstance(expected, int | float):
        if not isinstance(found, int | float):
            return False
        decimals = len(text.partition(".")[2]) if "e" not in text.lower() else 12
        return abs(float(found) - float(expected)) <= 0.5 * 10.0**-decimals + 1e-9
    if isinstance(expected, date) and not isinstance(expected, datetime):
        return (found.date() if isinstance(found, datetime) else found) == expected
    return str(found) == str(expected)


def _given_figures(case: Case, frame: pl.DataFrame) -> list[pl.Expr]:
    """The figures that a case gives instead of having them counted, as columns of the kind they have."""
    found = []
    for name, value in case.figures.items():
        column = column_of_metric(name)
        try:
            found.append(pl.lit(value).cast(frame.schema[column]).alias(column))
        except pl.exceptions.PolarsError:
            case.place.fault(f"“{name}”的值不合适", f"the value of “{name}” does not fit", "given", "figures", name)
    return found


def _grade(found: Any, rule: Index, expectation: Expectation) -> Any:
    """A grade by the word in the language that was written."""
    labels = [label for _, label in rule.grades]
    if isinstance(found, int):
        label = labels[found]
    else:
        label = next((label for label in labels if found in (label.zh, label.en)), None)
    if label is None:
        return found
    return label.en if expectation.value == label.en else label.zh


def _differs(expectation: Expectation, found: Any) -> None:
    expected = "null" if expectation.value is None else expectation.text
    shown = _shown(found)
    whose = f"{expectation.subject}." if expectation.subject else ""
    name = whose + expectation.name
    expectation.place.fault(f"{name} 应为 {expected}，实为 {shown}", f"{name}: expected {expected}, found {shown}")


def _shown(found: Any) -> str:
    match found:
        case None:
            return "null"
        case bool():
            return "true" if found else "false"
        case float():
            return f"{found:.12g}"
    return str(found)


def _calendar(rows: CaseRows) -> Calendar:
    """The working days of the given holidays."""
    days = [(row.values["day"], str(row.values.get("kind", "holiday"))) for row in rows.rows.get("holiday", ())]
    return Calendar(
        frozenset(day for day, kind in days if kind == "holiday"),
        frozenset(day for day, kind in days if kind == "working_day"),
    )
