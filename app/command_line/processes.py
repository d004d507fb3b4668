"""Starts, watches, restarts and stops the processes of one installation.

What runs is data (`Process`); this module knows nothing of web servers or queues. Every process is started by exec in a
session of its own, with a lifeline (`app/lifeline.py`): none outlives the supervisor, however that one ends.
"""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.lifeline import StartedBy, adopt_orphans, on_linux, starts_with_lifeline

LARGEST_LOG = 5 * 2**20
"""Bytes after which a process's log is put aside as `.1` when the process starts."""
SETTLED_AFTER = 30.0
"""Seconds after which a process counts as well started, so that its next death is restarted at once."""
LONGEST_PAUSE = 30.0
ERROR_LINE = re.compile(r"(?!.*HaltServer)[\w.]*(Error|Exception)\b")
"""The last line of a stack trace; gunicorn's own end says only that a worker has not started."""


@dataclass(frozen=True)
class Process:
    """One program to keep running."""

    name: str
    zh: str
    """What it is, in Chinese, for messages."""
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the supervisor's own environment."""
    stops_within: float = 5.0
    """Seconds it is given after SIGTERM before it is killed."""
    serves_others: bool = False
    """Stopped only when all others have ended."""


class Child:
    """A running `Process` and what is remembered of its earlier lives."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self.log = log
        self.popen: subprocess.Popen | None = None
        self.started_at = 0.0
        self.deaths = 0
        self.start_again_at: float | None = None

    @property
    def is_running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def start(self) -> None:
        with suppress(FileNotFoundError):
            if self.log.stat().st_size > LARGEST_LOG:
                self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                starts_with_lifeline(list(self.process.arguments)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.process.environment},
                start_new_session=True,
            )
        self.started_at = time.monotonic()
        self.start_again_at = None

    def plan_restart(self) -> float:
        """Seconds until the next life: none after a long life, then doubling with each early death."""
        now = time.monotonic()
        self.deaths = 0 if now - self.started_at > SETTLED_AFTER else self.deaths + 1
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (self.deaths - 1)) if self.deaths else 0.0
        self.start_again_at = now + pause
        return pause

    def signal_group(self, number: int) -> None:
        """Signal the process and those it forked, which share its session's first process group."""
        if self.popen is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.popen.pid, number)

    def last_words(self) -> str:
        """The line of its log that says why it ended: the last that names an error, or the last of all."""
        with suppress(OSError):
            lines = self.log.read_bytes()[-8000:].decode("utf-8", "replace").strip().splitlines()
            errors = [line for line in lines if ERROR_LINE.match(line)]
            return (errors or lines or [""])[-1].strip()
        return ""


class Supervisor:
    """Keeps the given processes running until it is told to stop.

    Make it in the main thread: it takes over the signals for stopping, and the lifelines hang on that thread.
    """

    def __init__(self, logs: Path, say: Callable[[str, str], None]) -> None:
        logs.mkdir(exist_ok=True)
        self.logs = logs
        self.say = say
        self.children: dict[str, Child] = {}
        self.one_off: Child | None = None
        self.stop_reason: tuple[str, str] | None = None
        self._signals = 0
        self._started_by = StartedBy()
        self._wake_up, wake_up = os.pipe()
        os.set_blocking(self._wake_up, False)
        os.set_blocking(wake_up, False)
        signal.set_wakeup_fd(wake_up, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end_on_signal)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._end_on_signal)
        adopt_orphans()

    def start(self, process: Process) -> Child:
        child = self.children[process.name] = Child(process, self.logs / f"{process.name}.log")
        child.start()
        return child

    def wait(self, seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
        """Look after the processes for that long, until something is done, or until it is time to stop.

        Gives whether to go on. `done` is asked at least every half second and whenever a process has ended.
        """
        until = time.monotonic() + seconds
        while self.stop_reason is None:
            self._look_after()
            left = until - time.monotonic()
            if left <= 0 or done():
                break
            select.select([self._wake_up], [], [], min(left, 0.5))
            with suppress(BlockingIOError):
                os.read(self._wake_up, 4096)
        return self.stop_reason is None

    def run(self) -> None:
        """Look after the processes until it is time to stop."""
        while self.wait(3600):
            pass

    def run_to_end(self, process: Process, pass_fds: tuple[int, ...] = ()) -> int | None:
        """Run a process that is meant to end, on our own output; gives its exit status, or None if told to stop."""
        child = Child(process, self.logs / f"{process.name}.log")
        child.popen = subprocess.Popen(
            starts_with_lifeline(list(process.arguments)),
            stdin=subprocess.DEVNULL,
            env={**os.environ, **process.environment},
            start_new_session=True,
            pass_fds=pass_fds,
        )
        self.one_off = child
        while child.is_running and self.wait(60, lambda: not child.is_running):
            pass
        self._stop([child])
        self.one_off = None
        return child.popen.returncode if self.stop_reason is None else None

    def stop(self) -> None:
        """Stop every process and leave none of their descendants behind. A second signal makes it quick."""
        children = [child for child in self.children.values() if child.is_running]
        self._stop([child for child in children if not child.process.serves_others])
        self._stop([child for child in children if child.process.serves_others])
        self.children.clear()
        self._end_orphans()

    def _stop(self, children: list[Child]) -> None:
        signals, began = self._signals, time.monotonic()
        waiting = {child for child in children if child.is_running}
        for child in waiting:
            os.kill(child.popen.pid, signal.SIGTERM)
        while waiting:
            for child in set(waiting):
                late = time.monotonic() - began > child.process.stops_within or self._signals > signals
                if late:
                    child.signal_group(signal.SIGKILL)
                    child.popen.wait()
                if not child.is_running:
                    waiting.remove(child)
            time.sleep(0.02 if waiting else 0)
        for child in children:
            child.signal_group(signal.SIGKILL)  # what it forked and did not end itself

    def _end_on_signal(self, number: int, frame: object) -> None:
        self._signals += 1
        name = signal.Signals(number).name
        self.stop_reason = self.stop_reason or (f"收到 {name}", f"received {name}")

    def _look_after(self) -> None:
        if self._started_by.has_ended():
            self.stop_reason = (
                "启动本程序的进程已结束（如需常驻，请用 nohup、setsid 或 systemd 启动）",
                "the process that started this one has ended (to keep it running, use nohup, setsid or systemd)",
            )
            return
        for child in self.children.values():
            if child.start_again_at is not None:
                if time.monotonic() >= child.start_again_at:
                    child.start()
            elif not child.is_running:
                child.signal_group(signal.SIGKILL)
                pause = child.plan_restart()
                self.say(
                    f"{child.process.zh}（{child.process.name}）意外结束，{pause:g} 秒后重启；日志 {child.log}："
                    f"{child.last_words()}",
                    f"{child.process.name} ended ({_ending(child.popen.returncode)}) and starts again in {pause:g} s",
                )
        self._end_orphans()

    def _end_orphans(self) -> None:
        """End descendants whose parent has gone: only what a dead process left behind can have become ours."""
        if not on_linux:
            return
        children = [*self.children.values(), *filter(None, [self.one_off])]
        ours = {child.popen.pid for child in children if child.popen is not None}
        while orphans := _children_of_this_process() - ours:  # one that ends may leave us children of its own
            for orphan in orphans:
                with suppress(ProcessLookupError):
                    os.kill(orphan, signal.SIGKILL)
                with suppress(ChildProcessError):
                    os.waitpid(orphan, 0)


def _children_of_this_process() -> set[int]:
    try:
        return {int(pid) for pid in Path("/proc/thread-self/children").read_text().split()}
    except OSError:  # a kernel without that list
        return set(_children_by_walking_proc())


def _children_by_walking_proc() -> Iterable[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError, IndexError):
                if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                    yield int(folder.name)


def _ending(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def say(zh: str, en: str) -> None:
    """Tell the person at the terminal, in Chinese and in English."""
    print(f"{zh} / {en}", flush=True)


def python_module(name: str, *arguments: str) -> tuple[str, ...]:
    """Arguments that run a module with this Python."""
    return (sys.executable, "-m", name, *arguments)
