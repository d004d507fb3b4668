"""``Idempotency-Key``: a POST that is sent again, because its answer was lost, is done once and answered the same.

The answer is kept with the caller and a hash of the request, in the very transaction that does what was asked, so that
there is never one without the other. The same key with another request is refused (422). Answers are kept for a day
(``app.access.idempotent_answers``). Refusals are not kept: a request that was mended may use its key again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import orjson
from flask import Response, request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.idempotent_answers import IdempotentAnswer
from app.console.saving import NotSaved
from app.database.clock import now
from app.entity.labels import Label

from .parameters import BadParameters

HEADER = "Idempotency-Key"
LONGEST_KEY = 200
KEYS = f"[!-~]{{1,{LONGEST_KEY}}}"
REPLAYED = "Idempotency-Replayed"

OTHER_REQUEST = Label(
    "这个 Idempotency-Key 已用于另一个请求，请换一个",
    "This Idempotency-Key was used for another request; use a new one",
)
BAD_KEY = Label(
    f"应为 1 到 {LONGEST_KEY} 个可见的 ASCII 字符", f"Has to be 1 to {LONGEST_KEY} visible ASCII characters"
)


def once(session: Session, caller: int, key_name: str, work: Callable[[], tuple[int, Any]]) -> tuple[int, bytes, bool]:
    """Do what a request asks for, or find how it was answered: status, body, and whether it was found. Called within
    the request's transaction; the caller commits. ``key_name`` tells apart what signs in for the caller."""
    key = request.headers.get(HEADER)
    if key is None:
        status, content = work()
        return status, _json(content), False
    if not re.fullmatch(KEYS, key):
        raise BadParameters({HEADER: [BAD_KEY]})
    hashed = _hash(key_name, key)
    known = _known(session, caller, hashed)
    if known is None:
        row = IdempotentAnswer(user_id=caller, key_hash=hashed, request_hash=_request_hash(), created_at=now())
        session.add(row)
        try:
            session.flush()  # another request with this key waits here until this one has ended
        except IntegrityError:
            session.rollback()
            known = _known(session, caller, hashed)
            if known is None:
                raise
    if known is not None:
        if known.request_hash != _request_hash():
            raise NotSaved({HEADER: [OTHER_REQUEST]}, 422)
        return known.status, known.answer.encode(), True
    status, content = work()
    body = _json(content)
    row.status, row.answer = status, body.decode()
    return status, body, False


def answer(status: int, body: bytes, replayed: bool) -> Response:
    made = Response(body, status=status, mimetype="application/json")
    if replayed:
        made.headers[REPLAYED] = "true"
    return made


def _known(session: Session, caller: int, hashed: str) -> IdempotentAnswer | None:
    wanted = select(IdempotentAnswer).where(IdempotentAnswer.user_id == caller, IdempotentAnswer.key_hash == hashed)
    return session.scalars(wanted).one_or_none()


def _request_hash() -> str:
    return _hash(request.method, request.full_path, request.get_data(as_text=True))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _json(content: Any) -> bytes:
    return orjson.dumps(content, default=float)
