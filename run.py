#!/usr/bin/env python3
"""The one command of Beacon: makes `.venv`, installs what is missing, and goes on inside it.

Needs Python 3.11 and nothing else. This file keeps to what Python 3.6 can read, so that an older one can say that it is
too old instead of stumbling over the syntax. What the commands do is in `app/command_line`.
"""

import ctypes
import errno
import hashlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

OLDEST_PYTHON = (3, 11)
PROJECT = Path(__file__).resolve().parent
REQUIREMENTS = PROJECT / "requirements.txt"
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed-requirements"
LOG = VENV / "install.log"
LOCK = PROJECT / ".venv.lock"
TRIES = 2


class CannotStart(Exception):
    """What stands in the way and what to do about it, in Chinese and in English."""


def main():
    open_standard_streams()
    check_python()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end_on_signal)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup asks to be left running
        signal.signal(signal.SIGHUP, end_on_signal)
    fingerprint = installation_fingerprint()
    if not is_installed(fingerprint):
        install_under_lock(fingerprint)
    environment = dict(os.environ, PYTHONPATH=str(PROJECT), PYTHONSAFEPATH="1", PYTHONUTF8="1")
    environment.pop("PYTHONHOME", None)
    sys.stdout.flush()
    # The same process goes on, so that signals sent to this one reach the program itself.
    os.execve(str(PYTHON), [str(PYTHON), "-m", "app.command_line", *sys.argv[1:]], environment)


def open_standard_streams():
    """Give a process that was started with closed streams the null device, lest a file or socket take their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(opened, True)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(number, "w", closefd=False))
        elif hasattr(stream, "reconfigure"):  # a terminal that cannot show Chinese must not end the program
            stream.reconfigure(errors="replace")


def check_python():
    if fcntl is None:
        raise CannotStart(
            "本系统需要 Linux 或 macOS，Windows 请在 WSL 中运行。",
            "Beacon needs Linux or macOS; on Windows run it inside WSL.",
        )
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(str(part) for part in sys.version_info[:3])
        newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if shutil.which(name)]
        better = newer[-1] if newer else "python3.11"
        raise CannotStart(
            f"Python 版本过低（{found}），需要 3.11 以上：请运行 {better} run.py。",
            f"Python {found} is too old, 3.11 or newer is needed: run {better} run.py.",
        )
    if find_spec("venv") is None or find_spec("ensurepip") is None:
        raise CannotStart(
            "缺少 Python 的 venv 模块：请运行 apt install python3-venv。",
            "Python's venv module is missing: run apt install python3-venv.",
        )


def end_on_signal(number, frame):
    raise SystemExit(128 + number)


def installation_fingerprint():
    """Changes when the requirements or the Python of the virtual environment do."""
    try:
        return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    except OSError as error:
        raise CannotStart(
            f"无法读取 {REQUIREMENTS}（{error.strerror}）：请重新获取完整的程序目录。",
            f"Cannot read {REQUIREMENTS} ({error.strerror}): fetch the whole project folder again.",
        ) from error


def is_installed(fingerprint):
    """The stamp is written last, so an interrupted installation has none and is done again."""
    try:
        return STAMP.read_text() == fingerprint + " " + environment_version()
    except OSError:
        return False


def environment_version():
    """The Python version of `.venv`, such as "3.11", or "" if it does not work (half made, or its base was removed)."""
    try:
        answer = subprocess.run(
            [str(PYTHON), "-c", "import sys, pip; print('%d.%d' % sys.version_info[:2])"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
        )
    except OSError:
        return ""
    return answer.stdout.decode().strip() if answer.returncode == 0 else ""


def install_under_lock(fingerprint):
    with open(str(LOCK), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            say("另一个启动正在安装软件包，请稍候", "another start is installing the packages, waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_installed(fingerprint):
            install(fingerprint, lock.fileno())


def install(fingerprint, lock):
    started = time.time()
    if STAMP.exists():
        STAMP.unlink()
    if not environment_version():
        say("建立虚拟环境 .venv", "making the virtual environment .venv")
        base = getattr(sys, "_base_executable", None) or sys.executable
        status, output = run_watched([base, "-m", "venv", "--clear", str(VENV)], lock, started)
        if status:
            raise explain(output, "无法建立虚拟环境", "The virtual environment could not be made")
    say("安装软件包，首次约需一两分钟", "installing packages, a minute or two the first time")
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-compile"]
    command += [
        "--progress-bar",
        "off",
        "--prefer-binary",
        "--retries",
        "3",
        "--timeout",
        "30",
        "-r",
        str(REQUIREMENTS),
    ]
    for attempt in range(1, TRIES + 1):
        status, output = run_watched(command, lock, started)
        if status == 0:
            break
        LOG.write_text("\n".join(output))
        problem = explain(output, "软件包安装失败", "The packages could not be installed")
        if attempt == TRIES or not network_is_down(output):
            raise problem
        say(f"网络中断，重试 {attempt}/{TRIES - 1}", "network trouble, trying again")
        time.sleep(3 * attempt)
    STAMP.write_text(fingerprint + " " + environment_version())
    say(f"软件包已装好，用时 {time.time() - started:.0f} 秒", "packages are ready")


def run_watched(command, lock, started):
    """Run an installation step and show its progress; gives (exit status, lines of output).

    The step holds the lock too, so that one which outlives this process keeps the next start waiting, and it ends with
    this process.
    """
    step = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=clean_environment(),
        pass_fds=[lock],
        start_new_session=True,
        preexec_fn=end_with_parent,
    )
    progress = Progress(started)
    parent = os.getppid()
    lines, rest = [], b""
    try:
        while True:
            ready = select.select([step.stdout], [], [], 1.0)[0]
            if os.getppid() != parent and os.getsid(0) != os.getpid():  # see StartedBy in app/lifeline.py
                raise SystemExit(1)
            if ready:
                piece = os.read(step.stdout.fileno(), 65536)
                if not piece:
                    break
                *whole, rest = (rest + piece).split(b"\n")
                lines += [line.decode("utf-8", "replace") for line in whole]
            progress.show(lines)
        return step.wait(), [*lines, rest.decode("utf-8", "replace")]
    finally:
        progress.close()
        if step.poll() is None:
            os.killpg(step.pid, signal.SIGKILL)
            step.wait()


def end_with_parent():
    """Has the kernel end the new process with this one, even if this one is killed; elsewhere than Linux it cannot."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


class Progress:
    """What the installer is at: one line renewed every second on a terminal, elsewhere a line every ten seconds."""

    PHASES = (
        ("Collecting ", "查找 looking for"),
        ("Downloading ", "下载 downloading"),
        ("Using cached ", "读取缓存 from the cache"),
        ("Building wheel for ", "构建 building"),
        ("Installing collected packages", "安装 installing"),
    )

    def __init__(self, started):
        self.started = started
        self.terminal = sys.stdout.isatty()
        self.next_line = time.time() + (0 if self.terminal else 10)
        self.shown = False

    def show(self, lines):
        now = time.time()
        if now < self.next_line:
            return
        self.next_line = now + (0.2 if self.terminal else 10)
        text = f"[{now - self.started:3.0f} s] {self.phase(lines)}"
        if self.terminal:
            width = max(20, shutil.get_terminal_size().columns - 12)  # Chinese characters are two columns wide
            sys.stdout.write("\r\033[K" + text[:width])
            self.shown = True
        else:
            sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def phase(self, lines):
        collected = sum(line.startswith("Collecting ") for line in lines)
        for line in reversed(lines):
            for start, words in self.PHASES:
                if line.strip().startswith(start):
                    if start == "Installing collected packages":
                        return "{} {} 个软件包 packages".format(words, line.count(",") + 1)
                    what = line.strip()[len(start) :].split("/")[-1].split(" (from")[0]
                    return f"{words} {what} · {collected}"
        return "准备 preparing"

    def close(self):
        if self.shown:
            sys.stdout.write("\r\033[K")
            sys.stdout.flush()


def network_is_down(output):
    text = "\n".join(output)
    signs = ("Retrying (", "ConnectionError", "Connection broken", "Read timed out", "Temporary failure", "ProxyError")
    return any(sign in text for sign in signs)


def explain(output, zh, en):
    """The likeliest cause of a failed installation, judged from what the installer printed."""
    text = "\n".join(output)
    if "No space left on device" in text or "Errno 28" in text or "Disk quota exceeded" in text:
        return disk_full()
    if network_is_down(output):
        return CannotStart(
            zh + "：连不上软件源。请检查网络，或用 PIP_INDEX_URL 指定可用的镜像后重试。",
            en
            + ": the package index is out of reach. Check the network, or name a mirror with PIP_INDEX_URL, and retry.",
        )
    errors = [line for line in output if line.startswith("ERROR")] or [line for line in output if line.strip()][-1:]
    detail = errors[0].replace("ERROR: ", "").strip() if errors else ""
    return CannotStart(
        f"{zh}：{detail}。请检查 requirements.txt；详情见 {LOG}。",
        f"{en}: {detail}. Check requirements.txt; details are in {LOG}.",
    )


def disk_full():
    return CannotStart(
        f"磁盘已满：{PROJECT} 至少需要 1.5 GB 空间，请清理后重试。",
        f"The disk is full: {PROJECT} needs at least 1.5 GB; free some space and start again.",
    )


def clean_environment():
    """The environment for Python and pip without what would lead them out of `.venv`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for name in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV"):
        kept.pop(name, None)
    kept["PYTHONUNBUFFERED"] = "1"
    return kept


def say(zh, en):
    print(f"{zh} / {en}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except CannotStart as problem:
        sys.exit("\n".join(problem.args))
    except PermissionError as problem:
        sys.exit(
            f"没有写入 {problem.filename} 的权限：请更改目录权限，或换一个用户运行。\n"
            f"No permission to write {problem.filename}: change the folder's permissions or run as another user."
        )
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sys.exit("\n".join(disk_full().args))
