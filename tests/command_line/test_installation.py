"""One DATA_DIR is served once, on a free port, by a disk with room."""

import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace

import pytest

from app.command_line import CommandFailed, installation
from app.command_line.installation import InstallationLock, check_port, held_installation
from config import PROJECT_DIR
from tests.processes import end, free_port

HOLD = """
import sys, time
from app.command_line.installation import held_installation
from config import Settings
with held_installation(Settings.from_environment()):
    print("held", flush=True)
    time.sleep(600)
"""


def holder(settings) -> subprocess.Popen:
    """Another process that serves the same DATA_DIR."""
    environment = {"DATA_DIR": str(settings.data_dir), "PORT": "8099", "PYTHONPATH": str(PROJECT_DIR)}
    process = subprocess.Popen([sys.executable, "-c", HOLD], env=environment, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    return process


def test_second_start_names_the_first(settings):
    first = holder(settings)
    try:
        with pytest.raises(CommandFailed) as caught, held_installation(settings):
            pytest.fail("two processes hold one installation")
        for text in (caught.value.zh, caught.value.en):
            assert str(first.pid) in text
            assert "http://127.0.0.1:8099" in text
    finally:
        end(first)


def test_killed_start_leaves_no_lock_but_is_known(settings):
    end(holder(settings))
    with held_installation(settings) as lock:
        assert lock.former_was_killed
    with held_installation(settings) as lock:
        assert not lock.former_was_killed


def test_start_waits_for_one_that_is_stopping(settings):
    first = InstallationLock(settings)
    first.acquire()
    first.tell_stopping()
    waiting = InstallationLock(settings)
    waiting_ends = pytest.MonkeyPatch()
    waiting_ends.setattr(installation.time, "sleep", lambda seconds: first.release())
    try:
        waiting.acquire()
    finally:
        waiting_ends.undo()
    waiting.release()


def test_taken_port_says_which_and_what_to_do(settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandFailed) as caught:
            check_port(replace(settings, port=port))
    assert str(port) in caught.value.zh
    assert "PORT=" in caught.value.zh
    assert "python3 run.py" in caught.value.en


def test_free_port_is_free_and_stays_so(settings):
    settings = replace(settings, port=free_port())
    check_port(settings)
    check_port(settings)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_host_that_is_not_ours_says_so(settings, host):
    with pytest.raises(CommandFailed, match="HOST"):
        check_port(replace(settings, host=host, port=free_port()))


def test_full_disk_says_so(settings, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12 - 10**6, 10**6))
    with pytest.raises(CommandFailed, match="磁盘"), held_installation(settings):
        pass
