"""What is in force, as pages ask for it. Reads through a session, so that every figure is in the reader's scope.

Ranks are the one exception: a rank among all is a count over all, and says nothing of whom it counts. They are counted
when they are read, so that scoring one subject again renews every rank without writing a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.database.clock import today
from app.entity.registry import registry
from app.rules.model import SEVERITY, Light

from .models import IN_FORCE, Evaluation, Extent, PeriodRecord, Run, RunState, Score, WarningState

ORDER_UNITS = 1e9
"""How many units of ``order_key`` are one point."""
LEAF_TIER = "branch"
"""Lights of organizations are counted on this tier: those above are rolled up from it."""

_ADJUSTED = Score.adjusted_by.is_not(None)


@dataclass
class LightCounts:
    """How many subjects stand on each light, and their mean score."""

    counts: dict[str, int] = field(default_factory=dict)
    mean: float | None = None

    @property
    def scored(self) -> int:
        """Subjects, those without data left out."""
        return sum(number for light, number in self.counts.items() if light != Light.NO_DATA)

    @property
    def subjects(self) -> int:
        return sum(self.counts.values())

    @property
    def red_share(self) -> float:
        return self.counts.get(Light.RED, 0) / self.scored if self.scored else 0.0


@dataclass(frozen=True)
class Rank:
    """A place among the scored: 1, 2, 2, 4, highest score first."""

    place: int
    of: int


def in_force(rule_code: str, period_code: str) -> ColumnElement[bool]:
    """The scores of a rule and period that no later run has replaced."""
    return and_(Score.rule_code == rule_code, Score.period_code == period_code, Score.until_run_id == IN_FORCE)


def order_key(*, base: bool = False) -> ColumnElement[int]:
    """What ranks compare; ``base``: by the base rule, whatever districts and streets have adjusted."""
    return (
        case((Score.adjusted_by.is_not(None), Score.base_order_key), else_=Score.order_key) if base else Score.order_key
    )


def light(*, base: bool = False) -> ColumnElement[str]:
    """The light of a score, or that by the base rule; there is none where the base rule does not apply."""
    by_base = func.coalesce(Score.base_light, Light.NO_DATA.value)
    return case((_ADJUSTED, by_base), else_=Score.light) if base else Score.light


def value(*, base: bool = False) -> ColumnElement[float]:
    """The score, or that by the base rule."""
    return (
        case((Score.adjusted_by.is_not(None), Score.base_order_key / ORDER_UNITS), else_=Score.score)
        if base
        else Score.score
    )


def standing(score: Score, *, base: bool = False) -> tuple[float | None, str]:
    """The score and light of a row, or those by the base rule."""
    if not base or score.adjusted_by is None:
        return score.score, score.light
    points = None if score.base_order_key is None else score.base_order_key / ORDER_UNITS
    return points, score.base_light or Light.NO_DATA.value


def key_of(score: Score, *, base: bool = False) -> int | None:
    """A row's ``order_key``."""
    return score.base_order_key if base and score.adjusted_by is not None else score.order_key


def leaves() -> ColumnElement[bool]:
    """Scores of members, and of organizations of the lowest tier."""
    return or_(Score.member_id.is_not(None), Score.tier == LEAF_TIER)


def _severity(light: ColumnElement[str]) -> ColumnElement[int]:
    """Worst first; ``no_data`` last."""
    order = {code.value: position for position, code in enumerate(SEVERITY)}
    return case(order, value=light, else_=len(order))


def light_counts(
    session: Session, rule_code: str, period_code: str, *conditions: ColumnElement[bool], base: bool = False
) -> LightCounts:
    """All leaves in scope, by light; ``base``: by the base rule."""
    lit = light(base=base)
    statement = (
        select(lit, func.count(Score.id), func.sum(value(base=base)))
        .where(in_force(rule_code, period_code), leaves(), *conditions)
        .group_by(lit)
    )
    rows = session.execute(statement).all()
    counts = LightCounts({code: number for code, number, _total in rows})
    total = sum(amount or 0.0 for _light, _number, amount in rows)
    counts.mean = total / counts.scored if counts.scored else None
    return counts


def light_counts_by_child(
    session: Session, rule_code: str, period_code: str, organization_id: int, *, base: bool = False
) -> dict[int, LightCounts]:
    """The leaves below each child of an organization, by the child's id and light (``base``: by the base rule). The
    child on whose path a leaf lay on the day of its run counts it."""
    child = aliased(registry["organization"].model)
    lit = light(base=base)
    statement = (
        select(child.id, lit, func.count(Score.id), func.sum(value(base=base)))
        .join(Score, and_(Score.path >= child.path, Score.path < child.path.concat("~")))
        .where(child.parent_id == organization_id, in_force(rule_code, period_code), leaves())
        .group_by(child.id, lit)
    )
    found: dict[int, LightCounts] = {}
    totals: dict[int, float] = {}
    for child_id, code, number, amount in session.execute(statement):
        found.setdefault(child_id, LightCounts()).counts[code] = number
        totals[child_id] = totals.get(child_id, 0.0) + (amount or 0.0)
    for child_id, counts in found.items():
        counts.mean = totals[child_id] / counts.scored if counts.scored else None
    return found


def light_changes(rule_code: str, period_code: str, since: date) -> Select[tuple[Score]]:
    """Leaves whose light changed on or after a day, gravest first."""
    return (
        select(Score)
        .where(in_force(rule_code, period_code), leaves(), Score.light_before.is_not(None), Score.light_since >= since)
        .order_by(_severity(Score.light), Score.order_key, Score.id)
    )


def changes_by_light(session: Session, rule_code: str, period_code: str, since: date) -> dict[str, int]:
    """By how many each light's count grew since a day."""
    statement = (
        select(Score.light, Score.light_before, func.count(Score.id))
        .where(in_force(rule_code, period_code), leaves(), Score.light_before.is_not(None), Score.light_since >= since)
        .group_by(Score.light, Score.light_before)
    )
    grown: dict[str, int] = {}
    for light, before, number in session.execute(statement):
        grown[light] = grown.get(light, 0) + number
        grown[before] = grown.get(before, 0) - number
    return grown


def ranked(rule_code: str, period_code: str, *, base: bool = False) -> Select[tuple[Score]]:
    """Leaves with a score, lowest first; ``base``: by the base rule."""
    key = order_key(base=base)
    return select(Score).where(in_force(rule_code, period_code), leaves(), key.is_not(None)).order_by(key, Score.id)


def score_of(session: Session, rule_code: str, period_code: str, subject_id: int) -> Score | None:
    """The score of one subject, if the reader may see it."""
    return session.scalars(
        select(Score).where(in_force(rule_code, period_code), Score.subject_id == subject_id)
    ).one_or_none()


def scores_of(session: Session, rule_code: str, subject_id: int) -> Sequence[Score]:
    """The scores of one subject in every period, oldest first."""
    statement = select(Score).where(
        Score.rule_code == rule_code, Score.subject_id == subject_id, Score.until_run_id == IN_FORCE
    )
    return session.scalars(statement.order_by(Score.period_code)).all()


def rank_of(
    session: Session, score: Score, *, peers: bool = False, under: str | None = None, instead: int | None = None
) -> Rank | None:
    """The place of a score among all leaves, among its peers, or among those below a path; ``instead``: the place that
    it would have with this order key. Counts rows that the reader may not see, and gives nothing of them but their
    number."""
    key = score.order_key if instead is None else instead
    if key is None:
        return None
    conditions = [in_force(score.rule_code, score.period_code), Score.order_key.is_not(None), Score.id != score.id]
    if score.member_id is None:
        conditions.append(Score.tier == score.tier if score.tier else Score.tier.is_(None))
    if peers:
        conditions.append(Score.peers == score.peers)
    if under:
        conditions += [Score.path >= under, Score.path < under + "~"]
    statement = select(func.count(Score.id), func.sum(case((Score.order_key > key, 1), else_=0))).where(*conditions)
    others, above = session.connection().execute(statement).one()
    return Rank(int(above or 0) + 1, others + 1)


def ranks_of(session: Session, scores: Iterable[Score], *, base: bool = False) -> dict[int, int]:
    """The places among all of the scores of one page, by the score's id, by one query: the page's scores are joined
    with how many are above each. ``base``: by the base rule."""
    found: dict[int, int] = {}
    scores = [score for score in scores if key_of(score, base=base) is not None]
    if not scores:
        return found
    first = scores[0]
    keys = sorted({key_of(score, base=base) for score in scores}, reverse=True)
    above = [func.sum(case((order_key(base=base) > key, 1), else_=0)) for key in keys]
    statement = select(*above).where(in_force(first.rule_code, first.period_code), leaves())
    places = dict(zip(keys, session.connection().execute(statement).one(), strict=True))
    for score in scores:
        found[score.id] = int(places[key_of(score, base=base)] or 0) + 1
    return found


def peer_ranks_of(session: Session, scores: Iterable[Score], *, base: bool = False) -> dict[int, Rank]:
    """The places among their peers of the scores of one page, by the score's id, by one query, counted as in
    ``ranks_of``."""
    scores = [score for score in scores if key_of(score, base=base) is not None and score.peers]
    compared = order_key(base=base)
    if not scores:
        return {}
    first, groups = scores[0], sorted({score.peers for score in scores})
    sizes = [func.sum(case((Score.peers == group, 1), else_=0)) for group in groups]
    above = [
        func.sum(case((and_(Score.peers == score.peers, compared > key_of(score, base=base)), 1), else_=0))
        for score in scores
    ]
    statement = select(*sizes, *above).where(
        in_force(first.rule_code, first.period_code), leaves(), compared.is_not(None), Score.peers.in_(groups)
    )
    numbers = [int(number or 0) for number in session.connection().execute(statement).one()]
    of_group = dict(zip(groups, numbers, strict=False))
    return {
        score.id: Rank(number + 1, of_group[score.peers])
        for score, number in zip(scores, numbers[len(groups) :], strict=True)
    }


def peer_means(session: Session, rule_code: str, peers: str) -> dict[str, float]:
    """The mean score of a peer group by period. A mean over all peers, whoever reads it."""
    statement = (
        select(Score.period_code, func.avg(Score.score))
        .where(
            Score.rule_code == rule_code, Score.until_run_id == IN_FORCE, Score.peers == peers, Score.score.is_not(None)
        )
        .where(leaves())
        .group_by(Score.period_code)
    )
    return {period: float(mean) for period, mean in session.connection().execute(statement)}


def counts_by_period(session: Session, rule_code: str) -> dict[str, dict[str, int]]:
    """How many leaves in scope stood on each light, by period, oldest first."""
    statement = (
        select(Score.period_code, Score.light, func.count(Score.id))
        .where(Score.rule_code == rule_code, Score.until_run_id == IN_FORCE, leaves())
        .group_by(Score.period_code, Score.light)
        .order_by(Score.period_code)
    )
    found: dict[str, dict[str, int]] = {}
    for period, light, number in session.execute(statement):
        found.setdefault(period, {})[light] = number
    return found


def standing_warnings(*conditions: ColumnElement[bool]) -> Select[tuple[WarningState]]:
    """Levels that stand now, gravest first and longest first."""
    return (
        select(WarningState)
        .where(WarningState.until_run_id == IN_FORCE, WarningState.light != Light.NO_DATA, *conditions)
        .order_by(_severity(WarningState.light), WarningState.since, WarningState.id)
    )


def warning_counts(session: Session, *conditions: ColumnElement[bool]) -> dict[tuple[str, str], int]:
    """How many warnings stand, by rule and level."""
    statement = (
        select(WarningState.rule_code, WarningState.light, func.count(WarningState.id))
        .where(WarningState.until_run_id == IN_FORCE, WarningState.light != Light.NO_DATA, *conditions)
        .group_by(WarningState.rule_code, WarningState.light)
    )
    return {(rule, light): number for rule, light, number in session.execute(statement)}


def new_warning_counts(session: Session, *conditions: ColumnElement[bool]) -> dict[tuple[str, str], int] | None:
    """How many of the standing warnings began today, by rule and level; None on the first day of an installation,
    whose warnings began whenever they did."""
    day = today()
    if session.connection().scalar(select(WarningState.id).where(WarningState.since < day).limit(1)) is None:
        return None
    return warning_counts(session, WarningState.since >= day, *conditions)


def periods_of(session: Session, rule_code: str) -> list[str]:
    """The periods that have published results, newest first."""
    statement = (
        select(Run.period_code)
        .where(Run.rule_code == rule_code, Run.state == RunState.PUBLISHED, Run.extent == Extent.FULL)
        .distinct()
    )
    return sorted(session.scalars(statement), reverse=True)


def period_state(session: Session, period_code: str) -> str | None:
    """open, provisional or closed."""
    return session.scalar(select(PeriodRecord.state).where(PeriodRecord.period_code == period_code))


def latest_run(session: Session, rule_code: str, period_code: str, *, full: bool = False) -> Run | None:
    """The last published run of a rule and period; ``full``: the one that peer figures are from."""
    statement = select(Run).where(
        Run.rule_code == rule_code, Run.period_code == period_code, Run.state == RunState.PUBLISHED
    )
    if full:
        statement = statement.where(Run.extent == Extent.FULL)
    return session.scalars(statement.order_by(Run.id.desc()).limit(1)).first()


def latest_correction(session: Session, rule_code: str, period_code: str) -> Run | None:
    """The last run that corrected the period after it had been closed."""
    statement = select(Run).where(
        Run.rule_code == rule_code,
        Run.period_code == period_code,
        Run.state == RunState.PUBLISHED,
        Run.correction_reason.is_not(None),
    )
    return session.scalars(statement.order_by(Run.id.desc()).limit(1)).first()


def run_days(session: Session, run_ids: Sequence[int]) -> dict[int, date]:
    """The dates that runs evaluated, by run."""
    return dict(session.execute(select(Run.id, Run.as_of).where(Run.id.in_(run_ids))).tuples().all())


def running_evaluation(session: Session) -> Evaluation | None:
    """The evaluation that is waiting or under way, if any; those of single changes are too short to show."""
    return session.scalars(
        select(Evaluation)
        .where(Evaluation.state.in_([RunState.QUEUED, RunState.RUNNING]), Evaluation.cause != "change")
        .order_by(Evaluation.id.desc())
        .limit(1)
    ).first()
