"""Bearer tokens of programs, verified once: a token that was good stays good until it expires.

What the account of a token may do is asked at each request all the same (``known_accounts``); only the signature, a
third of what a short request takes, is not checked again.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict

from flask import request
from flask_jwt_extended import decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import PyJWTError

MOST_TOKENS = 10_000


class KnownTokens:
    """The access tokens that this process has verified, by their hash."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[bytes, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def account_id(self, token: str) -> int | None:
        """Whose access token it is; None for one that is not valid now. Needs an application context."""
        key = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        known = self._tokens.get(key)
        if known is not None:
            return known[1] if known[0] > time.time() else None
        try:
            claims = decode_token(token)
            found = float(claims["exp"]), int(claims["sub"])
        except (JWTExtendedException, PyJWTError, KeyError, ValueError, TypeError):
            return None
        if claims.get("type") != "access":
            return None
        with self._lock:
            self._tokens[key] = found
            while len(self._tokens) > MOST_TOKENS:
                self._tokens.popitem(last=False)
        return found[1]


def bearer_token() -> str | None:
    """The token that the request's ``Authorization`` header bears."""
    header = request.headers.get("Authorization", "")
    return header[7:].strip() or None if header[:7].lower() == "bearer " else None
