"""Who holds a lease, so that a process on the same machine can tell whether the holder still lives.

A holder is written ``host/machine:process:born:nonce``. ``machine`` stands for this boot of this machine and this
container (process numbers mean something only within one), ``born`` for when the process began, because numbers are
used again. Where the system does not tell (no ``/proc``) nobody is called dead, and only the heartbeat counts.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from pathlib import Path

PROC = Path("/proc")
_BORN = 19
"""Where the time of birth stands behind the name, the state being 0 (``man 5 proc``)."""
UNKNOWN = "-"


def new_holder() -> str:
    """A name for a lease that this process takes; at most 80 characters, another each time."""
    process = os.getpid()
    born = _born(process) or UNKNOWN
    return f"{socket.gethostname()[:24]}/{_machine() or UNKNOWN}:{process}:{born}:{secrets.token_hex(4)}"


def is_dead(holder: str) -> bool:
    """Whether a holder's process is known to have ended: it ran on this machine and is no longer there."""
    try:
        place, process, born, _nonce = holder.rsplit(":", 3)
        number = int(process)
    except ValueError:
        return False
    machine = _machine()
    if machine is None or born == UNKNOWN or place.rpartition("/")[2] != machine:
        return False
    return _born(number) != born


def _machine() -> str | None:
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        container = os.readlink(PROC / "self/ns/pid")
    except OSError:
        return None
    return hashlib.sha256(f"{socket.gethostname()} {boot} {container}".encode()).hexdigest()[:12]


def _born(process: int) -> str | None:
    """When a process began, in ticks since the boot; None if there is none, or it is dead and only waited for."""
    try:
        # The name, in brackets, may hold anything; what follows the last bracket begins with the state.
        fields = (PROC / str(process) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[_BORN]
