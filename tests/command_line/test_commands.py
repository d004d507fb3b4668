"""Every command that is listed is there and says what it does."""

import inspect
import os
import subprocess
import sys

import pytest

from app.command_line.__main__ import COMMANDS, main
from config import PROJECT_DIR


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_listed_command_keeps_the_convention(command):
    module = command.load()
    assert list(inspect.signature(module.run).parameters) == ["arguments", "settings"]
    assert command.takes_everything or list(inspect.signature(module.add_arguments).parameters) == ["parser"]
    assert command.zh
    assert command.en


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    output = capsys.readouterr().out
    assert all(f"run.py {command.name}" in output for command in COMMANDS)


def test_unknown_command_is_an_error_that_lists_the_known(capsys):
    assert main(["seve"]) == 2
    output = capsys.readouterr().err
    assert "seve" in output
    assert "run.py serve" in output


def test_wrong_setting_is_told_without_a_stack_trace(capsys, monkeypatch):
    monkeypatch.setenv("PORT", "eighty")
    assert main(["serve"]) == 1
    output = capsys.readouterr().err
    assert "PORT" in output
    assert "Traceback" not in output


def test_command_for_tests_hands_all_words_to_pytest():
    words = ["-m", "app.command_line", "test", "--version", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_DIR)}
    answer = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, cwd="/")
    assert answer.returncode == 0
    assert "pytest" in answer.stdout + answer.stderr


def test_supervisor_stays_small():
    """`serve` must not load what it only starts: it would keep the memory as long as it runs."""
    code = "import sys, app.command_line.serve; print(*sorted({n.split('.')[0] for n in sys.modules}))"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_DIR)}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert {"polars", "sqlalchemy", "flask", "celery"} & set(answer.stdout.split()) == set()
