"""Versions of records as people read them: what was done, and each field before and after, in the reader's words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.access.predicates import Purpose
from app.entity.labels import Label
from app.entity.registry import EntityType, Field, FieldKind, registry
from app.history.models import Operation
from app.history.origin import Door
from app.history.reading import Version

from . import relations
from .display import OUT_OF_SIGHT, in_words
from .memory import seen
from .presentation import fmt, moment, t, text

OPERATIONS = {
    Operation.ADDED: Label("新增", "Added"),
    Operation.CHANGED: Label("修改", "Changed"),
    Operation.DELETED: Label("删除", "Deleted"),
    Operation.REVERTED: Label("退回旧版本", "Reverted"),
    Operation.RESTORED: Label("从回收站恢复", "Restored from the trash"),
    Operation.PURGED: Label("彻底删除", "Purged"),
    Operation.ERASED: Label("删除个人信息", "Personal data erased"),
    Operation.PRUNED: Label("到期清理", "Removed when its time was up"),
}
DOORS = {
    Door.CONSOLE: Label("页面", "console"),
    Door.API: Label("接口", "API"),
    Door.IMPORT: Label("导入", "import"),
    Door.JOB: Label("后台任务", "job"),
    Door.COMMAND_LINE: Label("命令行", "command line"),
    Door.PROGRAM: Label("程序", "program"),
}
ERASED = Label("（已删除的个人信息）", "(personal data, erased)")
NOTHING = Label("空", "empty")


@dataclass(frozen=True)
class Difference:
    """A field's value before and after, as people read it; ``before`` is None where the record was new."""

    label: str
    before: str | None
    after: str

    def __str__(self) -> str:
        return f"{self.label} {self.after}" if self.before is None else f"{self.label} {self.before} → {self.after}"


def in_plain_words(entity: EntityType, kept: Iterable[Version]) -> list[list[Difference]]:
    """The differences of each version as people read them: one query for each entity referred to."""
    kept = list(kept)
    entity = seen(entity)
    names = _names(entity, kept)
    found = []
    for version in kept:
        lines = []
        for name, (before, after) in version.differences.items():
            field = entity.fields.get(name)
            if field is not None:
                first = version.operation in (Operation.ADDED, Operation.RESTORED)
                lines.append(
                    Difference(
                        text(field.label), None if first else _said(field, before, names), _said(field, after, names)
                    )
                )
        lines += [
            Difference(text(entity.fields[name].label), None, text(ERASED))
            for name in entity.fields
            if name in version.erased
        ]
        found.append(lines)
    return found


def _names(entity: EntityType, kept: list[Version]) -> dict[tuple[str, int], str]:
    wanted: dict[str, set[int]] = {}
    for version in kept:
        for relation in entity.relations.values():
            if relation.target in registry:
                pair = version.differences.get(relation.column, ())
                wanted.setdefault(relation.target, set()).update(value for value in pair if value is not None)
    return {
        (target, key): choice.name
        for target, keys in wanted.items()
        for key, choice in relations.find(target, keys, Purpose.READ).items()
    }


def _said(field: Field, value: Any, names: dict[tuple[str, int], str]) -> str:
    if value is None or value == "":
        return text(NOTHING)
    if field.kind is FieldKind.REFERENCE:
        return names.get((field.options.target or "", value)) or text(OUT_OF_SIGHT)
    return str(fmt(in_words(field, value)))


def told(entity: EntityType, kept: Iterable[Version]) -> list[str]:
    """Each version as a sentence: who changed what, and when."""
    kept = list(kept)
    found = []
    for version, differences in zip(kept, in_plain_words(entity, kept), strict=True):
        what = t("；", "; ").join(str(each) for each in differences) or text(OPERATIONS[version.operation])
        who, when = version.actor_name, moment(version.happened_at)
        found.append(t(f"{who} 于{when}修改：{what}", f"{who}, {when}: {what}"))
    return found
