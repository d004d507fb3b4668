"""What is wrong with a rule file, where, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass

from app.entity.labels import Label

Step = str | int
PathSteps = tuple[Step, ...]
"""Where a part stands in its file: keys of mappings and positions in lists, outermost first."""


def path_text(steps: PathSteps) -> str:
    """``("tree", 2, "children", 0, "score")`` as people write it: ``tree[2].children[0].score``."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


@dataclass(frozen=True)
class Problem:
    """A fault of a rule file, or a hint, which fails nothing."""

    file: str
    """Relative to the rules folder, with ``/``."""
    line: int
    """From 1; 0 where the file as a whole is meant."""
    path: str
    """As ``path_text`` writes it; empty for the file as a whole."""
    label: Label
    is_hint: bool = False

    def in_language(self, *languages: str, folder: str = "") -> str:
        """``folder/file:line: path: message``, the one line that ``rules check`` prints; in several languages with
        a ``/`` between the messages."""
        file = "/".join(part for part in (folder.rstrip("/"), self.file) if part)
        path = f"{self.path}: " if self.path else ""
        hint = Label("提示：", "hint: ") if self.is_hint else Label("", "")
        messages = [hint.in_language(language) + self.label.in_language(language) for language in languages]
        return f"{file}:{self.line}: {path}{' / '.join(messages)}"

    @property
    def order(self) -> tuple[str, bool, int, str]:
        """Sorts a list of problems: by file, faults before hints, from the top down."""
        return (self.file, self.is_hint, self.line, self.path)


def faults(problems: list[Problem]) -> list[Problem]:
    """Those that are no hints."""
    return [problem for problem in problems if not problem.is_hint]
