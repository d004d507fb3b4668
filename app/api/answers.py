"""How the API answers: JSON by orjson, and every refusal as a problem document."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson
from flask import Response, request

from app.console.saving import WHOLE, NotSaved
from app.entity.labels import Label, UserError

from .parameters import BadParameters
from .problems import bad_parameters, not_saved, problem

NO_JSON = Label("请求内容应为 JSON", "The body has to be JSON")


def as_json(content: Any, status: int = 200) -> Response:
    """An answer. Dates are ISO, amounts numbers, codes their text."""
    return Response(orjson.dumps(content, default=_plain), status=status, mimetype="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)


def json_body() -> Any:
    """The request's JSON. Raises NotSaved for anything else."""
    body = request.get_json(silent=True) if request.is_json else None
    if body is None:
        raise NotSaved({WHOLE: [NO_JSON]}, 400)
    return body


def in_words(method: Callable[..., Response]) -> Callable[..., Response]:
    """A method of the API whose refusals become problem documents."""

    def answering(self: Any, *arguments: Any, **keywords: Any) -> Response:
        try:
            return method(self, *arguments, **keywords)
        except BadParameters as error:
            return bad_parameters(error)
        except NotSaved as error:
            return not_saved(error)
        except UserError as error:
            return problem(getattr(error, "status", 422), {"": [error.label]})

    return functools.update_wrapper(answering, method)
