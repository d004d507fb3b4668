"""Finds the command that was asked for, reads the settings and runs it."""

import argparse
import sys
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from app.command_line import CommandFailed
from config import Settings, SettingsError


@dataclass(frozen=True)
class Command:
    """One word after `run.py`."""

    name: str
    module: str
    zh: str
    en: str
    takes_everything: bool = False
    """All further words are handed over as `arguments.rest` instead of being parsed."""

    def load(self) -> ModuleType:
        # Only the command that runs is imported: the supervisor of `serve` has to stay small and free of Polars.
        return import_module(f"app.command_line.{self.module}")


COMMANDS = (
    Command("serve", "serve", "启动控制台及其后台进程（默认）", "start the console and what it needs (the default)"),
    Command("evaluate", "evaluate", "现在评定一个指数或预警", "evaluate an index or a warning now"),
    Command("import", "exchange", "从 Excel 或 CSV 导入记录", "import records from Excel or CSV"),
    Command("export", "exchange", "把记录导出为 Excel 或 CSV", "export records as Excel or CSV"),
    Command("demo", "demo", "在空数据库中生成演示数据", "fill an empty database with demonstration records"),
    Command("rules", "rules", "检查规则（check）或运行规则测试（test）", "check the rules, or run their tests"),
    Command("audit", "audit", "验证变更历史和审计记录（verify）", "verify the history and the audit trail"),
    Command(
        "person",
        "person",
        "导出（export）或删除（erase）一名党员的个人信息",
        "export or erase a member's personal data",
    ),
    Command("keys", "keys", "更换加密密钥（rotate）", "rotate the encryption keys"),
    Command("bench", "bench", "测量速度与内存", "measure speed and memory"),
    Command("test", "test", "运行全部测试，其后可加 pytest 参数", "run all tests; takes pytest's arguments", True),
)


def main(words: list[str]) -> int:
    """Run one command and give its exit status."""
    name = words[0] if words and not words[0].startswith("-") else None
    command = next((each for each in COMMANDS if each.name == (name or "serve")), None)
    if words[:1] in (["-h"], ["--help"]) or command is None:
        return explain(name)
    try:
        return run(command, words[1:] if name else words)
    except (SettingsError, CommandFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        sys.stderr.close()
        return 141


def run(command: Command, words: list[str]) -> int:
    module = command.load()
    if command.takes_everything:
        arguments = argparse.Namespace(rest=words)
    else:
        parser = argparse.ArgumentParser(f"run.py {command.name}", description=f"{command.zh}\n{command.en}")
        module.add_arguments(parser)
        arguments = parser.parse_args(words)
    arguments.command = command.name
    return module.run(arguments, Settings.from_environment())


def explain(unknown: str | None) -> int:
    """List the commands; an unknown one is an error."""
    stream = sys.stderr if unknown else sys.stdout
    if unknown:
        print(f"没有“{unknown}”这个命令。/ There is no command “{unknown}”.", file=stream)
    for command in COMMANDS:
        print(f"  run.py {command.name:<10} {command.zh} / {command.en}", file=stream)
    return 2 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
