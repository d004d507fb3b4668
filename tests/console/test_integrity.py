"""What each database refuses, in the same words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.exc import DBAPIError

from app.console.integrity import explain, is_refusal
from app.domains.members.models import Member
from app.domains.organizations.models import Organization
from app.entity.registry import registry

ORGANIZATION = {"id": 1, "code": "D", "name": "区", "tier": "district", "path": "/1/", "status": "active"}
FLAGS = "is_employed is_floating is_lost is_hardship needs_check is_demonstration"
MEMBER = {
    "code": "M1",
    "name": "党员",
    "organization_id": 1,
    "member_type": "full",
    "membership_status": "normal",
    "party_post": "none",
    **dict.fromkeys(FLAGS.split(), False),
}


def refused(engine: Engine, **values: Any) -> dict[str, list[str]]:
    """What is said of a member with these values, past the checks that come before the database's."""
    with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
        connection.execute(insert(Member.__table__).values({**MEMBER, **values}))
    assert is_refusal(caught.value)
    said = explain(registry["member"], caught.value)
    return {field: [label.zh for label in labels] for field, labels in said.items()}


def test_refusals_are_said_at_their_fields_on_every_database(any_engine: Engine) -> None:
    with any_engine.begin() as connection:
        connection.execute(insert(Organization.__table__).values(is_demonstration=False, **ORGANIZATION))
        connection.execute(insert(Member.__table__).values(id_no_hash="x", **MEMBER))
    assert refused(any_engine) == {"code": ["这个值已有记录使用"]}
    assert refused(any_engine, code="M2", id_no_hash="x") == {"id_no": ["这个值已有记录使用"]}
    assert refused(any_engine, code="M2", name=None) == {"name": ["请填写"]}
    assert refused(any_engine, code="M2", organization_id=99) == {"": ["所关联的记录不存在"]}
    dates = {"joined_on": date(2020, 1, 1), "left_on": date(2019, 1, 1)}
    assert refused(any_engine, code="M2", **dates) == {"left_on": ["不能早于“入党日期”"]}
