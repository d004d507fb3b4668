"""Refusals of the API: RFC 9457 problem documents, with ``message`` beside them for clients of FAB's own API.

    {"type": "about:blank", "title": …, "status": 422, "message": …,
     "errors": [{"field": "organization", "message": …}]}

Words are in the language of the request (``?_l_=en``, or the session's).
"""

from __future__ import annotations

from flask import Response, jsonify

from app.console.presentation import t, text
from app.console.saving import WHOLE, NotSaved
from app.entity.labels import Label

TITLES = {
    400: Label("请求有误", "Bad request"),
    401: Label("请先登录", "Not signed in"),
    403: Label("没有权限", "Forbidden"),
    404: Label("没有这条记录", "Not found"),
    409: Label("与其他记录冲突", "Conflict"),
    415: Label("请求内容应为 JSON", "The body has to be JSON"),
    422: Label("没有保存：有的值不能接受", "Not saved: some values cannot be taken"),
}


def problem(status: int, errors: dict[str, list[Label]] | None = None) -> Response:
    """A problem document. ``errors`` by field, ``""`` for the whole."""
    listed = [
        {"field": field, "message": text(label)} if field != WHOLE else {"message": text(label)}
        for field, labels in (errors or {}).items()
        for label in labels
    ]
    title = text(TITLES.get(status, TITLES[400]))
    message = t("；", "; ").join(
        f"{one['field']}: {one['message']}" if "field" in one else one["message"] for one in listed
    )
    answer = jsonify(type="about:blank", title=title, status=status, message=message or title, errors=listed)
    answer.status_code = status
    answer.content_type = "application/problem+json"
    return answer


def not_saved(error: NotSaved) -> Response:
    return problem(error.status, error.faults)
