"""What tests of real processes share: bounded waits, free ports, and ends without leftovers."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> object:
    """What `condition` gives once it is true; fails the test after that time."""
    until = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > until:
            pytest.fail(f"still not so after {seconds:g} s: {getattr(condition, '__name__', condition)}")
        time.sleep(0.05)
    return answer


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def end(process: subprocess.Popen, number: int = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)
    process.wait(20)


def is_alive(process: int) -> bool:
    """Whether a process still runs; one that has ended and only waits to be collected does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def processes_with(text: str) -> dict[int, str]:
    """Living processes that have `text` in their command line or environment, by number."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and is_alive(int(folder.name)):
            with suppress(OSError):
                command = (folder / "cmdline").read_bytes()
                if text.encode() in command + (folder / "environ").read_bytes():
                    found[int(folder.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found
