"""From where a change came: the door and the address."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import has_request_context, request


class Door(StrEnum):
    """The way in that a change took."""

    CONSOLE = "console"
    API = "api"
    IMPORT = "import"
    JOB = "job"
    COMMAND_LINE = "command_line"
    PROGRAM = "program"
    """Code that said nothing: migrations of data, tests."""


@dataclass(frozen=True, slots=True)
class Origin:
    door: Door
    address: str = ""


DOOR = "door"
"""The key of ``session.info`` by which a session says its door."""

_of_process = Door.PROGRAM


def use_door(door: Door) -> None:
    """Say through which door this process works: a worker, a command."""
    global _of_process
    _of_process = door


def origin_of(session: Any) -> Origin:
    """Where the session's changes come from: what it says itself, else the present request, else the process."""
    stated = session.info.get(DOOR)
    if session.info.get("web") and has_request_context():
        by_path = Door.API if request.path.startswith("/api/") else Door.CONSOLE
        return Origin(stated or by_path, (request.remote_addr or "")[:45])
    return Origin(stated or _of_process)
