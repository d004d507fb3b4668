"""`run.py rules check` and `run.py rules test`: what is wrong with the rules folder, and whether its tests hold."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import app.domains.all  # noqa: F401 - declares the entities that rules speak of
from app.entity.labels import Label
from app.rules.library import check_folder, rule_files
from app.rules.problems import Problem, faults
from app.rules.testing import run_tests
from config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("check", "test"), help="check: 检查 / problems; test: 测试 / tests")
    parser.add_argument("files", nargs="*", help="test: 只运行这些测试文件 / only these files of tests")
    parser.add_argument("--language", choices=("zh", "en"), help="语言 / language (LANG)")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    languages = languages_of(arguments.language)
    if arguments.action == "check":
        return check(settings.rules_dir, languages)
    return test(settings.rules_dir, languages, arguments.files)


def languages_of(asked: str | None) -> tuple[str, ...]:
    """The language asked for, else the one of the terminal; both where it tells none."""
    locale = asked or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return (locale[:2],) if locale[:2] in ("zh", "en") else ("zh", "en")


def check(rules_dir: Path, languages: Sequence[str]) -> int:
    """Print every problem and hint; 1 if there is any problem."""
    problems = check_folder(rules_dir)
    show(problems, rules_dir, languages)
    wrong = len(faults(problems))
    count, hints = len(rule_files(rules_dir)), len(problems) - wrong
    say(
        Label(
            f"检查了 {count} 条规则：{wrong} 个问题，{hints} 个提示",
            f"{count} rules checked: {wrong} problems, {hints} hints",
        ),
        languages,
    )
    return 1 if wrong else 0


def test(rules_dir: Path, languages: Sequence[str], files: list[str]) -> int:
    """Print every difference from what was expected; 1 if there is any."""
    result = run_tests(rules_dir, files=[Path(file).name for file in files])
    show(result.problems, rules_dir, languages)
    passed = result.cases - result.failed
    say(
        Label(
            f"运行了 {result.cases} 个测试，通过 {passed} 个，{result.seconds:.1f} 秒",
            f"{result.cases} tests run, {passed} passed, {result.seconds:.1f} seconds",
        ),
        languages,
    )
    return 1 if result.problems else 0


def show(problems: Sequence[Problem], rules_dir: Path, languages: Sequence[str]) -> None:
    folder = os.path.relpath(rules_dir) if rules_dir.is_relative_to(Path.cwd()) else str(rules_dir)
    for problem in problems:
        print(problem.in_language(*languages, folder=folder))


def say(label: Label, languages: Sequence[str]) -> None:
    print(" / ".join(label.in_language(language) for language in languages))
