"""``ETag``, ``If-Match`` and ``If-None-Match``: nobody overwrites what they have not seen.

The tag of a row is ``"<revision>.<hash of the answer>"``. The revision counts the row's changes, and is what
``If-Match`` compares; the hash also changes with the fields asked for, and with names of related rows, and is what
``If-None-Match`` compares, so that an unchanged answer need not be sent again (304).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from flask import Response, request

from app.console.saving import WHOLE, LostUpdate, NotSaved
from app.entity.labels import Label

from .parameters import BadParameters

LOST = Label(
    "读取之后，这条记录已被他人修改。请重新读取，核对后再保存",
    "This record was changed after it was read. Read it again, check, and save again",
)


TAGS = r'(\*|(W/)?"[!#-~]{0,80}"( ?, ?(W/)?"[!#-~]{0,80}"){0,9})'
"""What both headers look like, as RFC 9110 has them, within limits."""
NO_TAGS = Label('应为 "…" 形式的标记（见 ETag），或 *', 'Has to be a tag such as "…" (see ETag), or *')


def read(header: str) -> str | None:
    """A header's tags. Raises BadParameters for what is none."""
    given = request.headers.get(header)
    if given is not None and not re.fullmatch(TAGS, given.strip()):
        raise BadParameters({header: [NO_TAGS]})
    return given


def tag(revision: int, body: bytes) -> str:
    """A row's entity tag, without its quotation marks."""
    return f"{revision}.{hashlib.blake2b(body, digest_size=8).hexdigest()}"


def tagged(response: Response, revision: int) -> Response:
    """An answer with its tag; 304 without a body where the reader has it already. Raises BadParameters."""
    read("If-None-Match")
    response.set_etag(tag(revision, response.get_data()))
    response.headers["Cache-Control"] = "no-cache"
    return response.make_conditional(request)


def check(row: Any) -> None:
    """Refuse with 412 what was meant for another state of a row (``If-Match``)."""
    given = read("If-Match")
    if given is None or given.strip() == "*":
        return
    revisions = {text.partition(".")[0] for text in re.findall('"([^"]*)"', given)}
    if str(row.revision) not in revisions:
        raise NotSaved({WHOLE: [LOST]}, 412)


def not_lost(write: Callable[[], None]) -> None:
    """A write; whoever loses a race for the row is told so, like one who came too late."""
    try:
        write()
    except LostUpdate as error:
        raise NotSaved({WHOLE: [LOST]}, 412 if request.headers.get("If-Match") else 409) from error
