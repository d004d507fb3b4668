"""The commands of `run.py`.

A command is a module of this package with two functions:

    def add_arguments(parser: argparse.ArgumentParser) -> None
    def run(arguments: argparse.Namespace, settings: config.Settings) -> int     # the exit status

and one line in `COMMANDS` of `app/command_line/__main__.py`. `arguments.command` holds the command's name, so that one
module can serve two. A command that cannot go on raises `CommandFailed`; nobody is shown a stack trace for a mistake of
their own.
"""


class CommandFailed(Exception):
    """Ends a command with exit status 1. `zh` and `en` say what is wrong, where, and how to mend it."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")
        self.zh = zh
        self.en = en
