"""The garbage collector of processes that live long: what they have loaded stays, so it is not looked through again.

Otherwise looking through some hundred thousand objects of libraries and declarations costs a worker half a second now
and then, and a web server a part of each request.
"""

from __future__ import annotations

import gc

RARELY = (20_000, 20, 20)
"""Rows are made by the hundred thousand, hardly any of them in circles: those are looked for seldom."""


def keep_what_is_loaded() -> None:
    """Called once everything has been imported and made that the process works with."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*RARELY)
