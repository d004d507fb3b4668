"""The OpenAPI document is exact: schemathesis, with every check it has, finds nothing between it and the API.

A few requests of every operation of every entity, in process and always the same: some as described, some not. The
whole of it is ``schemathesis run`` with ``schemathesis.toml``, see docs/api.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from tests.console.site import Site

CONFIG = Path(__file__).with_name("schemathesis.toml")
SPREAD = 6
"""One write in so many is also asked what its schema forbids; which, differs from one entity to the next. Its query is
left alone: ``{}`` instead of a text, say, leaves no trace in a query, and is reported as taken."""

bounded = hypothesis.settings(
    max_examples=2,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def described(peopled: Any) -> Any:
    return schema_of(peopled.site)


def schema_of(site: Site) -> Any:
    """The document as the administrator may use the API."""
    config = SchemathesisConfig.from_path(CONFIG)
    return schemathesis.openapi.from_wsgi("/api/v1/_openapi", site.app, config=config, headers=site.token())


def test_every_answer_is_as_the_document_says(peopled: Any, described: Any) -> None:
    headers, failures, asked = peopled.site.token(), [], 0
    for number, result in enumerate(described.get_all_operations()):
        operation = result.ok()
        modes = [GenerationMode.POSITIVE]
        if operation.method != "get" and number % SPREAD == 0:
            modes.append(GenerationMode.NEGATIVE)
        for mode in modes:
            asked += 1
            try:
                _try(operation, mode, headers)
            except schemathesis.errors.InvalidSchema:
                raise
            except Exception as error:
                failures.append(f"{operation.label} ({mode.value}): {error}")
    assert asked > 300
    assert not failures, "\n\n".join(failures[:10])


def _try(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    fixed: dict[str, Any] = {"query": {}} if mode is GenerationMode.NEGATIVE else {}

    @given(case=operation.as_strategy(generation_mode=mode, **fixed))
    @bounded
    def holds(case: Any) -> None:
        case.call_and_validate(headers=headers)

    holds()
