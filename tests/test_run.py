"""`run.py` itself: from a folder with nothing but Python to the program inside `.venv`."""

import ast
import base64
import hashlib
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import run
from config import PROJECT_DIR
from tests.processes import end, processes_with, wait_until

MAIN = """
import os, sys
import tiny
print("inside", tiny.VERSION, os.getpid(), sys.prefix, sys.stdin is not None, *sys.argv[1:], flush=True)
if "wait" in sys.argv:
    import time
    time.sleep(600)
"""


WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make_wheel(folder: Path, version: str) -> Path:
    """A package `tiny` of that version, as small as pip takes it."""
    path = folder / f"tiny-{version}-py3-none-any.whl"
    files = {
        "tiny.py": f"VERSION = {version!r}\n",
        f"tiny-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"tiny-{version}.dist-info/WHEEL": WHEEL,
    }

    def digest(text: str) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()

    record = [f"{name},sha256={digest(text)},{len(text)}" for name, text in files.items()]
    files[f"tiny-{version}.dist-info/RECORD"] = "\n".join([*record, f"tiny-{version}.dist-info/RECORD,,", ""])
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return path


class Project:
    """A folder with run.py, a requirements.txt of one tiny package, and a program that tells that it was reached."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(PROJECT_DIR / "run.py", folder)
        (folder / "app" / "command_line").mkdir(parents=True, exist_ok=True)
        (folder / "app" / "command_line" / "__main__.py").write_text(MAIN)
        self.require("1.0")
        self.environment = {**os.environ, "PIP_NO_INDEX": "1"}
        self.environment.pop("PYTHONPATH", None)

    def require(self, version: str) -> None:
        (self.folder / "requirements.txt").write_text(f"{make_wheel(self.folder, version)}\n")

    def start(self, *words: str, **options) -> subprocess.Popen:
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "env": self.environment, **options}
        return subprocess.Popen([sys.executable, str(self.folder / "run.py"), *words], **options)

    def output(self, *words: str, status: int = 0, **options) -> str:
        process = self.start(*words, **options)
        output = process.communicate(timeout=120)[0].decode()
        assert process.returncode == status, output
        return output


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


@pytest.fixture(scope="module")
def ready_environment(tmp_path_factory) -> Path:
    """A project whose `.venv` is made, for tests of what comes after."""
    project = Project(tmp_path_factory.mktemp("ready"))
    project.output()
    return project.folder


@pytest.fixture
def ready(ready_environment) -> Project:
    return Project(ready_environment)


def test_first_start_installs_and_goes_on_inside_and_the_second_does_not_install(project):
    first = project.output("import", "organization", "a b.csv")
    assert "inside 1.0" in first
    assert f"{project.folder}/.venv" in first
    assert first.endswith("import organization a b.csv\n")
    second = project.output()
    assert second.startswith("inside 1.0"), "nothing is said or done when all is installed"
    project.require("2.0")
    assert "inside 2.0" in project.output()


def test_the_same_process_goes_on(ready):
    process = ready.start()
    assert f"inside 1.0 {process.pid} " in process.communicate(timeout=60)[0].decode()


def test_from_another_folder_with_closed_streams(ready, tmp_path):
    command = f"{sys.executable} {ready.folder}/run.py word >{tmp_path}/output 2>&1 <&-"
    subprocess.run(["/bin/sh", "-c", command], cwd="/", env=ready.environment, check=True, timeout=60)
    output = (tmp_path / "output").read_text()
    assert output.startswith("inside 1.0")
    assert output.endswith("True word\n")


def test_folder_of_the_caller_cannot_shadow_the_program(ready, tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    (tmp_path / "tiny.py").write_text("raise SystemExit('the wrong one')")
    assert "inside 1.0" in ready.output(cwd=tmp_path)


def test_two_starts_at_once_install_once(project):
    starts = [project.start(), project.start()]
    outputs = [start.communicate(timeout=120)[0].decode() for start in starts]
    assert all("inside 1.0" in output for output in outputs)
    assert sum("packages are ready" in output for output in outputs) == 1


class TestInterrupted:
    """Stopped while the package index keeps it waiting."""

    @pytest.fixture
    def waiting(self, project):
        """A start that is in the middle of its installation."""
        with socket.socket() as index:
            index.bind(("127.0.0.1", 0))
            index.listen()
            (project.folder / "requirements.txt").write_text("tiny==1.0\n")
            address = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
            environment = {**project.environment, "PIP_INDEX_URL": address, "PIP_EXTRA_INDEX_URL": ""}
            environment.pop("PIP_NO_INDEX")
            process = project.start(env=environment)
            index.settimeout(60)
            connection, _ = index.accept()
            yield process
            connection.close()
        end(process)

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda n: n.name)
    def test_leaves_no_installer_and_is_done_again(self, project, waiting, number):
        waiting.send_signal(number)
        waiting.wait(10)
        wait_until(lambda: not processes_with(str(project.folder)), 5)
        project.require("1.0")
        assert "inside 1.0" in project.output()

    def test_half_made_environment_is_made_again(self, project):
        (project.folder / ".venv" / "bin").mkdir(parents=True)
        (project.folder / ".venv" / "bin" / "python").symlink_to("/nowhere/python")
        assert "inside 1.0" in project.output()


class TestObstacles:
    """One line says what is in the way and what to do, in Chinese and then in English."""

    def test_python_too_old(self, monkeypatch):
        monkeypatch.setattr(run.sys, "version_info", (3, 9, 2, "final", 0))
        with pytest.raises(run.CannotStart) as caught:
            run.check_python()
        zh, en = caught.value.args
        assert "3.9.2" in zh
        assert "3.11" in zh
        assert "3.11" in en

    def test_old_python_can_read_the_file(self):
        ast.parse((PROJECT_DIR / "run.py").read_text(), feature_version=(3, 6))

    @pytest.mark.parametrize("module", ["venv", "ensurepip"])
    def test_venv_missing(self, module, monkeypatch, project):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(SystemExit) as caught:
            runpy.run_path(str(project.folder / "run.py"), run_name="__main__")
        assert "apt install python3-venv" in str(caught.value)

    def test_index_out_of_reach(self, project):
        (project.folder / "requirements.txt").write_text("tiny==1.0\n")
        project.environment.pop("PIP_NO_INDEX")
        project.environment |= {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_EXTRA_INDEX_URL": ""}
        output = project.output(status=1)
        assert "网络" in output
        assert "PIP_INDEX_URL" in output.splitlines()[-1]
        assert "Traceback" not in output

    def test_requirement_that_does_not_exist(self, project):
        (project.folder / "requirements.txt").write_text("tiny==99\n")
        output = project.output(status=1)
        assert "tiny==99" in output.splitlines()[-1]
        assert "requirements.txt" in output.splitlines()[-2]

    def test_requirements_missing(self, project):
        (project.folder / "requirements.txt").unlink()
        assert "requirements.txt" in project.output(status=1)

    @pytest.mark.parametrize(
        "words",
        [
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "[Errno 122] Disk quota exceeded",
        ],
    )
    def test_disk_full(self, words):
        zh, en = run.explain(["Collecting polars", words], "安装失败", "failed").args
        assert "磁盘" in zh
        assert "free some space" in en
