"""What is wrong with a file, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass

from app.entity.labels import Label, UserError


@dataclass(frozen=True)
class Fault:
    """One fault: the row as Excel counts, the column's heading, and the reason with its mend."""

    row: int
    column: str
    reason: Label


class ImportFaulty(UserError):
    """A file with faults: nothing of it was taken."""

    def __init__(self, faults: list[Fault], name: str) -> None:
        self.faults = sorted(faults, key=lambda fault: (fault.row, fault.column))
        super().__init__(
            f"{name} 有 {len(faults)} 处错误，没有导入任何数据；请改正后再导入",
            f"{name} has {len(faults)} faults; nothing was imported. Mend them and import again",
        )
