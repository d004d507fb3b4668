"""The supervisor leaves no process behind, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config import PROJECT_DIR
from tests.processes import end, is_alive, wait_until

PROGRAM = [sys.executable, str(Path(__file__).with_name("small_installation.py"))]


class Installation:
    """A small installation in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": str(PROJECT_DIR)}
        self.process: subprocess.Popen | None = None

    def start(self, *names: str, before: tuple[str, ...] = (), **options) -> subprocess.Popen:
        command = [*before, *PROGRAM, str(self.folder), *names]
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(command, env=self.environment, stdout=output, stderr=output, **options)
        return self.process

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def number(self, name: str) -> int:
        """The process of that name, the latest of several."""

        def found() -> list[Path]:
            return sorted(self.folder.glob(f"{name}.*"), key=lambda path: path.stat().st_mtime_ns)

        return int(wait_until(found)[-1].suffix[1:])

    def living(self) -> list[str]:
        return [path.name for path in self.folder.glob("*.[0-9]*") if is_alive(int(path.suffix[1:]))]

    def supervisor(self) -> int:
        """The supervisor's own process, when it was started by another program."""
        return int(Path(f"/proc/{self.number('steady')}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def installation(tmp_path):
    installation = Installation(tmp_path)
    yield installation
    end(installation.process, signal.SIGTERM)
    wait_until(lambda: not installation.living(), 5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL], ids=lambda n: n.name)
def test_no_process_outlives_the_supervisor(installation, number):
    process = installation.start("steady", "server")
    numbers = [installation.number("steady"), installation.number("server")]
    assert all(is_alive(each) for each in numbers)
    process.send_signal(number)
    process.wait(10)
    wait_until(lambda: not any(is_alive(each) for each in numbers), 2)
    assert (process.returncode == 0) == (number != signal.SIGKILL)


def test_descendants_are_ended_too(installation):
    process = installation.start("family")
    for name in ("family", "child", "stray"):
        installation.number(name)
    process.terminate()
    assert process.wait(10) == 0
    assert installation.living() == []


def test_orphans_of_a_process_that_died_are_ended(installation):
    installation.start("family")
    stray = installation.number("stray")
    installation.number("child")
    first = installation.number("family")
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not is_alive(stray), 5)
    wait_until(lambda: installation.number("family") != first)


def test_process_that_ignores_the_request_is_killed_in_time(installation):
    process = installation.start("stubborn")
    installation.number("stubborn")
    began = time.monotonic()
    process.terminate()
    assert process.wait(10) == 0
    assert 1.5 < time.monotonic() - began < 5
    assert installation.living() == []


def test_second_signal_makes_it_quick(installation):
    process = installation.start("stubborn")
    installation.number("stubborn")
    began = time.monotonic()
    process.terminate()
    wait_until(lambda: "SIGTERM" in installation.output())
    process.terminate()
    assert process.wait(10) == 0
    assert time.monotonic() - began < 1.5


def test_dead_process_is_started_again_with_growing_pauses_and_said_so(installation):
    installation.start("dying", "steady")
    wait_until(lambda: installation.output().count("dying ended (exit status 3)") >= 2)
    output = installation.output()
    assert "0.5 s" in output
    assert "1 s" in output
    assert "out of luck" in output
    assert len(list(installation.folder.glob("dying.*"))) >= 2
    assert installation.output().count("steady ended") == 0


def test_what_serves_others_is_stopped_last(installation):
    process = installation.start("server", "stubborn")
    server = installation.number("server")
    installation.number("stubborn")
    process.terminate()
    time.sleep(1)
    assert is_alive(server)
    assert process.wait(10) == 0
    assert not is_alive(server)


class TestParent:
    """A supervisor ends with the program that started it, unless that told it to stay."""

    SHELL = ("/bin/sh", "-c", '"$@"; true', "sh")

    def test_killed_parent_ends_everything(self, installation):
        shell = installation.start("steady", before=self.SHELL, start_new_session=True)
        supervisor = installation.supervisor()
        assert supervisor != shell.pid
        shell.kill()
        shell.wait()
        wait_until(lambda: not is_alive(supervisor), 5)
        assert installation.living() == []
        assert "started this one has ended" in installation.output()

    @pytest.mark.parametrize("how", ["nohup", "setsid"])
    def test_told_to_stay_it_stays(self, installation, how):
        shell = installation.start("steady", before=(*self.SHELL, how), start_new_session=True)
        supervisor = installation.supervisor()
        shell.kill()
        shell.wait()
        time.sleep(2)
        assert is_alive(supervisor)
        assert len(installation.living()) == 1
        os.kill(supervisor, signal.SIGTERM)
        wait_until(lambda: not is_alive(supervisor), 5)
        assert installation.living() == []

    def test_closed_terminal_ends_everything(self, installation):
        leader, terminal = os.openpty()
        process = installation.start("steady", before=("setsid", "--ctty"), stdin=terminal, start_new_session=True)
        os.close(terminal)
        steady = installation.number("steady")
        wait_until(lambda: "begun" in installation.output())
        os.close(leader)
        process.wait(10)
        wait_until(lambda: not is_alive(steady), 5)
