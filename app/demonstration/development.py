"""Demonstration cases of development, their reviews, and transfers."""

from __future__ import annotations

from datetime import date

import polars as pl

from .noise import chance, one_of, whole
from .services import _days, _numbered, _until

OUTSIDE = "演示外省某街道党工委"


def cases(branches: pl.DataFrame, people: pl.DataFrame, as_of: date, first: int) -> pl.DataFrame:
    """The cases of today's probationary members, and of people on their way to become one. What a rule blocks on entry
    is kept; what it only warns of is late here and there."""
    companions = _companions(people)
    admitted = _admitted(people, as_of).join(companions, on="organization_id")
    coming = _coming(branches, as_of).join(companions, on="organization_id")
    rows = pl.concat([admitted, coming], how="diagonal_relaxed")
    full_since = pl.col("full_since")
    # Contacts and introducers have long been full members; where the first two of a branch have not, it has no case.
    rows = rows.filter(
        (pl.col("activist_on").is_null() | (full_since <= pl.col("activist_on")))
        & (pl.col("prereview_on").is_null() | (full_since <= pl.col("prereview_on")))
    )
    is_activist, is_reviewed = pl.col("activist_on").is_not_null(), pl.col("prereview_on").is_not_null()
    is_accepted = pl.col("accepted_on").is_not_null()
    rows = rows.with_columns(
        contact_one_id=pl.when(is_activist).then("first_companion"),
        introducer_one_id=pl.when(is_reviewed).then("first_companion"),
        introducer_two_id=pl.when(is_reviewed).then("second_companion"),
        activist_filed_on=pl.col("activist_on"),
        accepted_entitled=pl.when(is_accepted).then("among"),
        accepted_present=pl.when(is_accepted).then("among"),
        accepted_in_favour=pl.when(is_accepted).then("among"),
        approval_extended=pl.lit(False),
        stage=pl.when(pl.col("approved_on").is_not_null())
        .then(pl.lit("probationary"))
        .when(pl.col("prospect_on").is_not_null())
        .then(pl.lit("prospect"))
        .when(is_activist)
        .then(pl.lit("activist"))
        .otherwise(pl.lit("applicant")),
        is_demonstration=pl.lit(True),
    ).with_columns(
        stage_since=pl.when(pl.col("stage") == "probationary")
        .then("accepted_on")
        .otherwise(pl.coalesce("prospect_on", "activist_on", "applied_on")),
    )
    return _numbered(rows.sort("organization_id", "member_id", "number", nulls_last=True), first, "FZ")


def _companions(people: pl.DataFrame) -> pl.DataFrame:
    """By branch: its first two full members, since when both are, and how many may vote."""
    voters = people.filter(
        (pl.col("member_type") == "full") & pl.col("left_on").is_null() & (pl.col("membership_status") == "normal")
    ).sort("organization_id", "regularized_on", "id")
    return (
        voters.group_by("organization_id", maintain_order=True)
        .agg(
            first_companion=pl.col("id").first(),
            second_companion=pl.col("id").get(1, null_on_oob=True),
            full_since=pl.col("regularized_on").get(1, null_on_oob=True),
            among=pl.len().cast(pl.Int64),
        )
        .filter(pl.col("second_companion").is_not_null())
    )


def _admitted(people: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """From the day on which today's probationary members were accepted, backwards."""
    rows = people.filter("is_new" if "is_new" in people.columns else pl.col("member_type") == "probationary")
    rows = (
        rows.select("organization_id", "name", "birth_date", "job", member_id="id", accepted_on="joined_on")
        .with_columns(prereview_on=pl.col("accepted_on") - _days(601, 5, 25, "member_id"))
        .with_columns(training_ended_on=pl.col("prereview_on") - _days(602, 10, 40, "member_id"))
        .with_columns(background_checked_on=pl.col("training_ended_on") - _days(603, 5, 30, "member_id"))
        .with_columns(prospect_on=pl.col("background_checked_on") - _days(604, 5, 30, "member_id"))
        .with_columns(
            approved_on=pl.col("accepted_on") + _days(605, 10, 19, "member_id"),
            oath_on=pl.col("accepted_on") + _days(606, 25, 60, "member_id"),
            number=pl.lit(None, pl.Int64),
        )
    )
    return _before_prospect(rows, "member_id").with_columns(_until(as_of, "oath_on"))


def _before_prospect(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """What comes before somebody becomes a prospect: twenty days of publicity, a year and more as an activist."""
    return (
        rows.with_columns(publicity_to=pl.col("prospect_on") - pl.duration(days=1))
        .with_columns(
            publicity_from=pl.col("publicity_to") - pl.duration(days=20),
            activist_on=pl.col("prospect_on") - _days(610, 400, 560, key),
            training_days=pl.when(pl.col("training_ended_on").is_not_null()).then(3.0),
            training_hours=pl.when(pl.col("training_ended_on").is_not_null()).then(24.0),
        )
        .with_columns(talked_on=pl.col("activist_on") - _days(611, 60, 300, key))
        .with_columns(applied_on=pl.col("talked_on") - _days(612, 3, 29, key))
    )


def _coming(branches: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Up to two a branch: applicants, activists, prospects, by turns."""
    today = pl.lit(as_of)
    rows = (
        branches.select("quality", "size", organization_id="id")
        .filter(pl.col("size") >= 4)
        .with_columns(place=pl.int_ranges(0, whole(620, 0, 2, "organization_id")))
        .explode("place")
        .filter(pl.col("place").is_not_null())
        .with_columns(number=pl.col("organization_id") * 2 + pl.col("place"))
        .with_columns(
            name=pl.format("演示申请人{}", pl.col("number").cast(pl.String).str.zfill(6)),
            birth_date=pl.lit(date(as_of.year - 22, 1, 1)) - _days(621, 0, 20 * 365, "number"),
            job=one_of(622, ["职员", "教师", "社区工作者", "工程师", "护士"], "number"),
            turn=whole(623, 0, 9, "number"),
            member_id=pl.lit(None, pl.Int64),
        )
    )
    is_applicant, is_activist = pl.col("turn") < 3, pl.col("turn").is_between(3, 7)
    none = pl.lit(None, pl.Date)
    prospects = _before_prospect(
        rows.filter(~is_applicant & ~is_activist).with_columns(
            prospect_on=today - _days(630, 20, 200, "number"),
            training_ended_on=none,
        ),
        "number",
    ).with_columns(training_days=pl.lit(None, pl.Float64), training_hours=pl.lit(None, pl.Float64))
    activists = (
        rows.filter(is_activist)
        .with_columns(activist_on=today - _days(631, 20, 420, "number"))
        .with_columns(talked_on=pl.col("activist_on") - _days(632, 60, 300, "number"))
        .with_columns(applied_on=pl.col("talked_on") - _days(633, 3, 29, "number"))
    )
    applicants = (
        rows.filter(is_applicant)
        .with_columns(applied_on=today - _days(634, 2, 150, "number"))
        .with_columns(talked_on=pl.col("applied_on") + _days(635, 3, 28, "number"))
        .with_columns(
            talked_on=pl.when(
                (pl.col("talked_on") <= as_of) & (chance(636, "number") < 0.75 + 0.25 * pl.col("quality"))
            ).then("talked_on")
        )
    )  # fmt: skip
    empty = ("activist_on", "prospect_on", "prereview_on", "accepted_on", "approved_on", "oath_on")
    frames = [
        frame.with_columns([none.alias(name) for name in empty if name not in frame.columns])
        for frame in (prospects, activists, applicants)
    ]
    return pl.concat(frames, how="diagonal_relaxed").drop("quality", "size", "place", "turn")


def reviews(made: pl.DataFrame, as_of: date, first: int) -> pl.DataFrame:
    """Every half year while an activist, now and then forgotten."""
    rows = (
        made.filter(pl.col("activist_on").is_not_null())
        .select("organization_id", "name", "member_id", "activist_on", "prospect_on", case_id="id")
        .with_columns(turn=pl.lit([1, 2, 3]))
        .explode("turn")
        .with_columns(reviewed_on=pl.col("activist_on").dt.offset_by(pl.format("{}mo", pl.col("turn") * 6)))
        .filter(
            (pl.col("reviewed_on") <= as_of)
            & (pl.col("prospect_on").is_null() | (pl.col("reviewed_on") <= pl.col("prospect_on")))
            # The keys outlive the numbering of cases.
            & (chance(640, "organization_id", "turn", pl.col("activist_on").dt.ordinal_day()) < 0.95)
        )
        .sort("case_id", "turn")
        .select(
            "organization_id",
            "name",
            "member_id",
            "case_id",
            "reviewed_on",
            kind=pl.lit("activist"),
            review_result=pl.lit("qualified"),
            reviewer=pl.lit("支部委员会"),
            opinion=pl.lit("思想上积极要求进步，能参加组织活动，群众评价较好，同意继续培养。"),
            is_demonstration=pl.lit(True),
        )
    )
    return _numbered(rows, first, "PK")


def transfers(branches: pl.DataFrame, people: pl.DataFrame, as_of: date, first: int) -> pl.DataFrame:
    """Members who came from a neighbouring branch, who are on their way there, and who left the city."""
    today, luck = pl.lit(as_of), chance(650, "id")
    turn = people.filter(pl.col("place") > 2).with_columns(luck=luck, neighbour=_neighbour(branches))
    own = turn.select("name", "organization_id", "joined_on", "left_on", "luck", "neighbour", member_id="id")
    old, new = pl.col("organization_id"), pl.col("neighbour")
    came = own.filter((pl.col("luck") < 0.012) & pl.col("left_on").is_null()).with_columns(
        kind=pl.lit("within_city"), status=pl.lit("received"), from_organization_id=new, to_organization_id=old,
        issued_on=pl.max_horizontal(today - _days(651, 40, 420, "member_id"), pl.col("joined_on")),
    )  # fmt: skip
    came = came.with_columns(received_on=pl.min_horizontal(pl.col("issued_on") + _days(652, 3, 30, "member_id"), today))
    going = own.filter((pl.col("luck") > 0.992) & pl.col("left_on").is_null()).with_columns(
        kind=pl.lit("within_city"), status=pl.lit("issued"), from_organization_id=old, to_organization_id=new,
        issued_on=pl.max_horizontal(today - _days(653, 0, 100, "member_id"), pl.col("joined_on")),
        received_on=pl.lit(None, pl.Date),
    )  # fmt: skip
    gone = own.filter(pl.col("left_on").is_not_null()).with_columns(
        kind=pl.lit("outgoing"), status=pl.lit("received"), from_organization_id=old,
        to_organization_id=pl.lit(None, pl.Int64), outside=pl.lit(OUTSIDE), received_on=pl.col("left_on"),
        issued_on=pl.max_horizontal(pl.col("left_on") - _days(654, 5, 40, "member_id"), pl.col("joined_on")),
    )  # fmt: skip
    rows = pl.concat([came, going, gone], how="diagonal_relaxed").with_columns(
        valid_until=pl.col("issued_on") + pl.duration(days=90),
        is_demonstration=pl.lit(True),
    )
    rows = rows.with_columns(
        status=pl.when((pl.col("status") == "issued") & (pl.col("valid_until") < as_of))
        .then(pl.lit("expired"))
        .otherwise("status"),
        fee_paid_until=pl.col("issued_on").dt.month_end(),
        reason=one_of(655, ["工作调动", "居住地变化", "退休"], "member_id"),
    )
    rows = _numbered(rows.sort("organization_id", "member_id"), first, "ZJ")
    return rows.with_columns(
        letter_no=pl.format("演示介〔{}〕{}号", pl.col("issued_on").dt.year(), "id"),
        open_member_id=pl.when(pl.col("status").is_in(["issued", "expired"])).then("member_id"),
    )


def _neighbour(branches: pl.DataFrame) -> pl.Expr:
    """Another branch of the district: the next one by number, the one before for the last."""
    ids = branches["id"].to_list()
    following = dict(zip(ids, [*ids[1:], ids[-2] if len(ids) > 1 else ids[-1]], strict=True))
    return pl.col("organization_id").replace_strict(following, return_dtype=pl.Int64)
