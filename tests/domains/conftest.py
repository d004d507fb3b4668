"""What holds of every operation that the tests of the domains perform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import app.domains.all  # noqa: F401 - declares the operations
from app.entity import operations
from app.entity.operations import Operation
from app.entity.registry import registry


def _checked(declared: Operation) -> Operation:
    """The operation, which besides has to leave its row in a state that it was declared to lead to, or as it was."""
    state = registry[declared.entity].state

    def run(session: Any, row: Any, actor: Any, **values: Any) -> None:
        before = getattr(row, state.name) if state else None
        declared.run(session, row, actor, **values)
        session.flush()
        after = getattr(row, state.name) if state else None
        assert after in (declared.leads_to or (before,)), f"{declared.entity}.{declared.code} led to {after}"

    return replace(declared, run=run)


@pytest.fixture(scope="session", autouse=True)
def operations_lead_where_they_are_declared_to() -> Iterator[None]:
    own = {entity: dict(known) for entity, known in operations._operations.items()}
    for entity, known in own.items():
        operations._operations[entity] = {code: _checked(each) for code, each in known.items()}
    yield
    operations._operations.update(own)
