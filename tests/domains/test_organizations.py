"""The tree of organizations: paths that are right whichever door was taken, and what an organization has to satisfy."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from app.access.actor import system_actor
from app.database.session import Session, make_session
from app.domains.organizations import operations
from app.domains.organizations.checks import is_credit_code, years_later
from app.domains.organizations.models import Organization
from app.entity.faults import InvalidRow
from tests import factories as make


def paths_by_walking(session: Session) -> dict[int, str]:
    """What every path should be, by the plainest way there is."""
    session.expire_all()
    rows = {row.id: row for row in session.scalars(select(Organization))}

    def path(row: Organization) -> str:
        return f"{path(rows[row.parent_id]) if row.parent_id else '/'}{row.id}/"

    return {number: path(row) for number, row in rows.items()}


def assert_paths(session: Session) -> None:
    session.commit()
    assert {row.id: row.path for row in session.scalars(select(Organization))} == paths_by_walking(session)


@pytest.fixture
def tree(session: Session) -> dict[str, Organization]:
    tree = make.tree()
    session.add_all(tree.values())
    session.commit()
    return tree


def test_moving_takes_the_whole_subtree_along(any_engine: Engine):
    session = make_session(any_engine, system_actor("tests"))
    tree = make.tree()
    session.add_all(tree.values())
    session.commit()
    assert_paths(session)
    operations.move(session, tree["street_a"], tree["street_b"])
    assert tree["branch_a1"].path == f"{tree['street_b'].path}{tree['street_a'].id}/{tree['branch_a1'].id}/", (
        "rows that the session holds follow at once"
    )
    assert_paths(session)
    operations.move(session, tree["street_a"], None)
    assert tree["street_a"].path == f"/{tree['street_a'].id}/"
    assert_paths(session)
    session.close()


def test_paths_do_not_take_neighbours_along_whose_ids_begin_alike(session: Session):
    rows = [make.organization(tier="street") for _ in range(12)]
    session.add_all(rows)
    session.commit()
    # /1/ and /10/, /11/, /12/
    rows[9].parent, rows[0].parent = rows[1], rows[2]
    assert_paths(session)


def test_moves_of_one_flush_follow_each_other(session: Session, tree: dict[str, Organization]):
    new = make.organization(parent=tree["street_b"], tier="street")
    session.add(new)
    tree["street_a"].parent = new
    tree["branch_b1"].parent = tree["street_a"]
    tree["street_b"].parent = None
    assert_paths(session)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 7)), max_size=8), at_once=st.booleans())
def test_any_moves_leave_a_tree_with_right_paths(session: Session, moves: list[tuple[int, int]], at_once: bool):
    rows = [make.organization(tier="street") for _ in range(7)]
    session.add_all(rows)
    session.commit()
    for child, parent in moves:
        try:
            rows[child].parent = rows[parent] if parent < len(rows) else None
            if not at_once:
                session.commit()
        except InvalidRow:
            session.rollback()
    try:
        session.commit()
    except InvalidRow:
        session.rollback()
    # Walking up would never end in a circle.
    assert_paths(session)


def test_circles_are_refused(session: Session, tree: dict[str, Organization]):
    for parent in ("district", "street_a", "branch_a1"):
        tree["street_a"].tier = "branch"
        with pytest.raises(InvalidRow) as refused:
            operations.move(session, tree["district"], tree[parent])
        assert "parent_id" in refused.value.by_field()
        session.rollback()
    assert_paths(session)


def test_circle_of_two_moves_at_once_is_refused(session: Session, tree: dict[str, Organization]):
    tree["street_a"].parent, tree["street_b"].parent = tree["street_b"], tree["street_a"]
    with pytest.raises(InvalidRow):
        session.commit()
    session.rollback()
    assert_paths(session)


def test_parent_stands_above(session: Session, tree: dict[str, Organization]):
    with pytest.raises(InvalidRow, match="上级"):
        operations.move(session, tree["street_a"], tree["branch_b1"])
    session.rollback()
    operations.create(session, tree["branch_a1"], code="G1", name="第1党小组", tier="group", org_type="group")
    operations.create(session, tree["branch_a1"], code="B9", name="同级支部", tier="branch")
    assert_paths(session)


def test_term_follows_from_election(session: Session):
    branch = make.organization(elected_on=date(2024, 2, 29), term_years=3)
    session.add(branch)
    session.commit()
    assert branch.term_ends_on == date(2027, 2, 28)
    branch.elected_on = date(2026, 11, 1)
    session.commit()
    assert branch.term_ends_on == date(2029, 11, 1), "a new election begins a new term"
    branch.elected_on, branch.term_ends_on = date(2026, 11, 2), date(2029, 10, 1)
    session.commit()
    assert branch.term_ends_on == date(2029, 10, 1), "what people say stands"


def faults(session: Session, **values) -> set[str]:
    session.add(make.organization(**values))
    try:
        session.flush()
        return set()
    except InvalidRow as refused:
        return set(refused.by_field())
    finally:
        session.rollback()


TERM = {"elected_on": date(2022, 3, 1), "term_years": 3, "extension_approval": "组〔2025〕1号"}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({**TERM, "extended_to": date(2026, 3, 1)}, set()),
        ({**TERM, "extended_to": date(2026, 3, 2)}, {"extended_to"}),
        ({**TERM, "extended_to": date(2025, 3, 1)}, {"extended_to"}),
        ({**TERM, "extended_to": date(2025, 9, 1), "extension_approval": " "}, {"extension_approval"}),
        ({"status": "dissolved"}, {"dissolved_on"}),
        ({"status": "dissolved", "dissolved_on": date(2014, 1, 1)}, {"dissolved_on"}),
        ({"founded_on": date(2999, 1, 1)}, {"founded_on"}),
        ({"uscc": "91350100m000100y43"}, set()),
        ({"uscc": "91350100M000100Y44"}, {"uscc"}),
        ({"uscc": "91350100M0001O0Y43"}, {"uscc"}),
        ({"lng": 121.4}, {"lat"}),
        ({"lng": 221.4, "lat": 31.0}, {"lng"}),
        ({"division_code": "31O112"}, {"division_code"}),
        ({"division_code": "３１０１１２"}, set()),
        ({"name": "  "}, {"name"}),
        ({"name": "长" * 121}, {"name"}),
        ({"unit_type": "castle"}, {"unit_type"}),
        ({"term_years": 9}, {"term_years"}),
    ],
)
def test_what_an_organization_has_to_satisfy(session: Session, values: dict, wrong: set[str]):
    assert faults(session, **values) == wrong


def test_credit_codes_of_registers_that_begin_with_a_letter():
    assert is_credit_code("91350100M000100Y43")
    assert not is_credit_code("91350100M000100Y4")
    from_letter = next(
        f"N2310112MF1234567{digit}"
        for digit in "0123456789ABCDEFGHJKLMNPQRTUWXY"
        if is_credit_code(f"N2310112MF1234567{digit}")
    )
    assert len(from_letter) == 18


def test_years_later_on_leap_days():
    assert years_later(date(2024, 2, 29), 1) == date(2025, 2, 28)
    assert years_later(date(2024, 2, 29), 4) == date(2028, 2, 29)


def test_dissolving_ends_posts_and_leaves_nobody_behind(session: Session, tree: dict[str, Organization]):
    branch, day = tree["branch_a1"], date(2026, 6, 30)
    member = make.member(organization=branch)
    post = make.post(organization=branch, member=member)
    session.add_all([member, post])
    session.commit()
    for blocked in (branch, tree["street_a"]):
        with pytest.raises(InvalidRow):
            operations.dissolve(session, blocked, day)
        session.rollback()
    member.organization = tree["branch_a2"]
    operations.dissolve(session, branch, day)
    session.commit()
    assert (branch.status, branch.dissolved_on, branch.status_since, post.ended_on) == ("dissolved", day, day, day)


def test_code_is_unique_and_says_so_at_its_field(session: Session, tree: dict[str, Organization]):
    session.add_all([make.organization(code="NEW"), make.organization(code="NEW"), make.organization(code="D")])
    with pytest.raises(InvalidRow) as refused:
        session.commit()
    assert [fault.field for found in refused.value.faults.values() for fault in found] == ["code", "code"]


def test_organization_with_others_below_is_not_deleted(session: Session, tree: dict[str, Organization]):
    session.delete(tree["street_a"])
    with pytest.raises(InvalidRow) as refused:
        session.commit()
    assert refused.value.status == 409
    session.rollback()
    for name in ("branch_a1", "branch_a2", "street_a"):
        session.delete(tree[name])
    session.commit()
    assert session.scalars(select(Organization.code).where(Organization.code.like("DA%"))).all() == []
