"""Refusals of the API: RFC 9457 problem documents, with ``message`` beside them for clients of FAB's own API.

    {"type": "about:blank", "title": …, "status": 422, "detail": …, "message": …,
     "errors": [{"field": "organization", "message": …}]}

Words are in the language of the request: ``?_l_=en``, the session's, or ``Accept-Language``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from flask import Response

from app.console.presentation import t, text
from app.console.saving import WHOLE, NotSaved
from app.entity.labels import Label

from .parameters import BadParameters

TITLES = {
    400: Label("请求有误", "Bad request"),
    401: Label("请先登录", "Not signed in"),
    403: Label("没有权限", "Forbidden"),
    404: Label("没有这条记录", "Not found"),
    405: Label("不支持这种操作", "Method not allowed"),
    409: Label("与其他记录冲突", "Conflict"),
    412: Label("记录已被他人修改", "Changed by somebody else meanwhile"),
    413: Label("内容太大", "Too large"),
    415: Label("请求内容应为 JSON", "The body has to be JSON"),
    422: Label("没有保存：有的值不能接受", "Not saved: some values cannot be taken"),
    429: Label("请求太频繁", "Too many requests"),
    500: Label("系统出错", "Something went wrong"),
    503: Label("系统繁忙", "Busy"),
}
TYPE = "application/problem+json"


def problem(
    status: int,
    errors: Mapping[str, Iterable[Label]] | None = None,
    allowed: Mapping[str, Iterable[str]] | None = None,
    **members: Any,
) -> Response:
    """A problem document. ``errors`` by field (``""`` for the whole), ``allowed`` what would do there, ``members``
    what else it holds."""
    listed: list[dict[str, Any]] = []
    for field, labels in (errors or {}).items():
        for label in labels:
            one: dict[str, Any] = {"message": text(label)}
            if field != WHOLE:
                one = {"field": field, **one}
            if allowed and field in allowed:
                one["allowed"] = list(allowed[field])
            listed.append(one)
    title = text(TITLES.get(status, TITLES[400]))
    detail = t("；", "; ").join(
        f"{one['field']}: {one['message']}" if "field" in one else one["message"] for one in listed
    )
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
        "message": detail or title,
        "errors": listed,
        **members,
    }
    return Response(orjson.dumps(body), status=status, content_type=TYPE)


def not_saved(error: NotSaved) -> Response:
    return problem(error.status, error.faults)


def bad_parameters(error: BadParameters) -> Response:
    return problem(error.status, error.faults, error.allowed)
