"""What has to be done before the console can be served; `serve` runs it as a process of its own.

Beside keeping the supervisor small, this leaves it free to act on signals while the database is migrated and filled.
The result goes to the file descriptor named by the first argument, as JSON: `{"password": "…" or null}`.
"""

import json
import os
import sys
from datetime import timedelta

from app.access.first_start import ensure_administrator
from app.command_line import CommandFailed
from app.command_line.prepare import prepare_database
from app.command_line.progress import ProgressLine
from app.database.clock import today
from app.demonstration import fill_if_empty
from app.jobs import queue
from config import Settings, SettingsError


def set_up(settings: Settings) -> dict:
    """Migrate the database, fill an empty one with demonstration records, and see to an administrator."""
    prepare_database(settings)
    with ProgressLine() as progress:
        filled = fill_if_empty(settings, progress=progress.show)
    if filled:
        enqueue_history(settings)
    return {"password": ensure_administrator(settings)}


def enqueue_history(settings: Settings) -> None:
    """Have the demonstration evaluated as of the end of last year and of yesterday, so that trends and changes of
    lights have something to show. Real records get no such past: it would judge them by what nobody has entered."""
    queue.configure(settings)
    queue.enqueue("evaluate", period=str(today().year - 1))
    queue.enqueue("evaluate", as_of=(today() - timedelta(days=1)).isoformat())


def main(result: int) -> int:
    try:
        answer = set_up(Settings.from_environment())
    except (CommandFailed, SettingsError) as problem:
        print(problem, file=sys.stderr)
        return 1
    os.write(result, json.dumps(answer).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
