"""Shows how far a long step has come: one line renewed in place on a terminal, a line now and then elsewhere."""

import shutil
import sys
import time
import unicodedata
from typing import Self, TextIO

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_RENEWALS = 0.1


class ProgressLine:
    """`show(label, done, total)` may be called as often as one likes; the output is kept sparse."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.on_terminal = self.stream.isatty()
        self.started = time.monotonic()
        self.next_at = self.started
        self.label, self.done = "", -1
        self.line_is_open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.line_is_open:
            self.stream.write("\n")
            self.stream.flush()
            self.line_is_open = False

    def show(self, label: str, done: int, total: int) -> None:
        """`done` of `total` of what `label` names; a total of 0 is not known yet."""
        now = time.monotonic()
        if label == self.label and (done == self.done or (now < self.next_at and done != total)):
            return
        self.label, self.done = label, done
        self.next_at = now + (SECONDS_BETWEEN_RENEWALS if self.on_terminal else SECONDS_BETWEEN_LINES)
        share = f"{100 * done // total:3d}% {done:,}/{total:,}" if total else ""
        text = f"[{now - self.started:4.0f} s] {label} {share}".rstrip()
        if self.on_terminal:
            self.stream.write("\r\033[K" + fitting(text, shutil.get_terminal_size().columns - 1))
            self.line_is_open = True
        else:
            self.stream.write(text + "\n")
        self.stream.flush()


def fitting(text: str, columns: int) -> str:
    """As much of the text as fits; Chinese characters are two columns wide."""
    for index, character in enumerate(text):
        columns -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns < 0:
            return text[:index]
    return text
