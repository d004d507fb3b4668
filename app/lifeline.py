"""Processes that end with the process that started them, even when that one is killed by SIGKILL.

On Linux the kernel sees to it (`PR_SET_PDEATHSIG`; it holds across exec, but not across fork, so every generation asks
for itself). The signal is tied to the parent's *thread*: whoever starts a process with a lifeline does so from its main
thread. Elsewhere a thread, or for foreign programs a small parent, watches whether the parent is still the same.

Run as a program, `python lifeline.py PARENT_PID PROGRAM [ARGUMENT...]` becomes that program with a lifeline. It is
started by path and needs nothing of Beacon, so that it costs some 20 ms.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SECONDS_BETWEEN_LOOKS = 0.5

on_linux = sys.platform == "linux"


def end_with_parent(parent: int) -> None:
    """Have this process killed as soon as its parent, process `parent`, has ended."""
    if on_linux:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it had ended before the kernel knew of our wish
            os._exit(1)
    else:
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent has ended, so that none can be lost sight of. Linux only."""
    if on_linux:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


def starts_with_lifeline(arguments: list[str]) -> list[str]:
    """The command that runs `arguments` so that they end with the process that calls this."""
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), str(os.getpid()), *arguments]


class StartedBy:
    """Tells when the process that started us, and that we should not outlive, has ended.

    A program started in the foreground or by another program ends with it. It stays when it was told to stay: started
    by `nohup` (hang-ups ignored), `setsid` or a service manager (leader of a session of its own), or by process 1.
    """

    def __init__(self) -> None:
        self.process = os.getppid()
        told_to_stay = (
            signal.getsignal(signal.SIGHUP) == signal.SIG_IGN or os.getsid(0) == os.getpid() or self.process <= 1
        )
        self.followed = not told_to_stay

    def has_ended(self) -> bool:
        return self.followed and os.getppid() != self.process


def _prctl(option: int, value: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl failed")


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGKILL)


def _become(parent: int, command: list[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if on_linux:
        end_with_parent(parent)
        os.execv(command[0], command)
    child = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda number, frame: child.send_signal(number))
    while child.poll() is None and os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS / 5)
    if child.poll() is None:
        child.kill()
    return child.wait()


if __name__ == "__main__":
    sys.exit(_become(int(sys.argv[1]), sys.argv[2:]))
