"""Stand still in the middle of a run, so that a test can kill the process, or something around it, at that moment.

``STALL_AT`` names the moment (``MOMENTS``) of the rule ``STALL_RULE``; the process then writes its number into
``STALL_NOTE`` and goes on once there is a file of that name ending in ``.go``. Only the first process to come by
stands still. Leases are void early, so that nobody waits a minute for the dead.

``python -m tests.evaluation.stalling evaluate INDEX`` is the command line with this.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from app.command_line.__main__ import main
from app.evaluation import leases
from app.evaluation.progress import Progress, RecordedProgress
from app.rules.model import Rule

MOMENTS = {
    "collected": "after the records were read, before the transaction that publishes",
    "publishing": "inside that transaction, when everything is written but the commit",
}
LONGEST = 60.0
_publishing = Progress.publishing


def install() -> None:
    """What the environment asks for; nothing without it."""
    leases.VOID_AFTER = timedelta(seconds=float(os.environ.get("LEASE_VOID_AFTER", "2")))
    leases.HEARTBEAT_SECONDS = 0.3
    if "STALL_AT" not in os.environ:
        return
    note, rule_code = Path(os.environ["STALL_NOTE"]), os.environ["STALL_RULE"]
    at = os.environ["STALL_AT"]
    current = ""

    def publishing(self: Progress, rule: Rule) -> None:
        nonlocal current
        _publishing(self, rule)
        current = rule.code
        if at == "collected" and current == rule_code:
            stand_still(note)

    def before_statement(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if at == "publishing" and current == rule_code and statement.startswith("UPDATE bc_run "):
            stand_still(note)

    RecordedProgress.publishing = publishing
    event.listen(Engine, "before_cursor_execute", before_statement)


def stand_still(note: Path) -> None:
    go = note.with_suffix(".go")
    try:
        with note.open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return
    until = time.monotonic() + LONGEST
    while not go.exists() and time.monotonic() < until:
        time.sleep(0.02)


if __name__ == "__main__":
    install()
    sys.exit(main(sys.argv[1:]))
