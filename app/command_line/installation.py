"""What makes sure that one DATA_DIR is served once, on a port that is free, by a disk that has room."""

import errno
import fcntl
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.command_line import CommandFailed
from config import Settings

LEAST_FREE_BYTES = 200 * 2**20
SECONDS_FOR_THE_FORMER = 20.0
"""How long a former start of ours may take to let go of the lock or the port."""


class InstallationLock:
    """An exclusive lock on DATA_DIR that the kernel gives back however this process ends.

    The file also says who holds it: `{"pid": 1234, "address": "http://…", "stopping": false}`.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.path: Path = settings.data_dir / "beacon.lock"
        self.file = None
        self.former_was_killed = False

    def acquire(self) -> None:
        """Raises CommandFailed if the installation is running already; waits for one that is being stopped."""
        self.file = open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")  # noqa: SIM115
        until = time.monotonic() + SECONDS_FOR_THE_FORMER
        while True:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = self._read()
                if not holder.get("stopping") or time.monotonic() > until:
                    raise _already_running(self.settings, holder) from None
                time.sleep(0.1)
        self.former_was_killed = bool(self._read())
        self._write({"pid": os.getpid(), "address": self.settings.address, "stopping": False})

    def tell_stopping(self) -> None:
        self._write({"pid": os.getpid(), "address": self.settings.address, "stopping": True})

    def release(self) -> None:
        self._write({})
        self.file.close()

    def _read(self) -> dict:
        self.file.seek(0)
        try:
            return json.loads(self.file.read() or "{}")
        except json.JSONDecodeError:  # read while it was being written
            return {}

    def _write(self, holder: dict) -> None:
        self.file.seek(0)
        self.file.truncate()
        if holder:
            self.file.write(json.dumps(holder))
        self.file.flush()


def _already_running(settings: Settings, holder: dict) -> CommandFailed:
    pid, address = holder.get("pid", "?"), holder.get("address", settings.address)
    return CommandFailed(
        f"{settings.data_dir} 已有一个系统在运行（进程 {pid}）：{address}。如需再开一个，请另设 DATA_DIR 和 PORT。",
        f"{settings.data_dir} is already being served (process {pid}): {address}. "
        "For another one, set DATA_DIR and PORT.",
    )


@contextmanager
def held_installation(settings: Settings) -> Iterator[InstallationLock]:
    """Hold the installation's lock. Raises CommandFailed, saying why, when this DATA_DIR cannot be served."""
    settings.create_data_dir()
    check_disk(settings)
    lock = InstallationLock(settings)
    lock.acquire()
    try:
        yield lock
    finally:
        lock.release()


def check_disk(settings: Settings) -> None:
    free = shutil.disk_usage(settings.data_dir).free
    if free < LEAST_FREE_BYTES:
        raise CommandFailed(
            f"磁盘将满：{settings.data_dir} 只剩 {free // 2**20} MB，"
            f"至少需要 {LEAST_FREE_BYTES // 2**20} MB，请清理后重试。",
            f"The disk is nearly full: {free // 2**20} MB left at {settings.data_dir}, "
            f"at least {LEAST_FREE_BYTES // 2**20} MB needed; free some space and start again.",
        )


def check_port(settings: Settings, patience: float = 0.0) -> None:
    """Raises CommandFailed when the console cannot listen at HOST and PORT, after `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
                trial.listen(1)
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise _cannot_listen(settings, error) from None
            time.sleep(0.1)


def _cannot_listen(settings: Settings, error: OSError) -> CommandFailed:
    if error.errno == errno.EADDRINUSE:
        other = settings.port + 1 if settings.port < 65535 else 8080
        return CommandFailed(
            f"端口 {settings.port} 已被占用：请停止占用它的程序，或换一个端口，如 PORT={other} python3 run.py。",
            f"Port {settings.port} is taken: stop the program that uses it or choose another port, "
            f"such as PORT={other} python3 run.py.",
        )
    if error.errno == errno.EACCES:
        return CommandFailed(
            f"无权使用端口 {settings.port}：请用 PORT 指定 1024 以上的端口。",
            f"No permission to use port {settings.port}: set PORT to 1024 or higher.",
        )
    return CommandFailed(
        f"无法在 HOST={settings.host} 上监听（{error.strerror}）：请检查 HOST。",
        f"Cannot listen at HOST={settings.host} ({error.strerror}): check HOST.",
    )
