"""What a file's references lead to: rows found by their code, else by their name where only one is called so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.access.predicates import Purpose
from app.access.references import purpose_of, referable, run_referable
from app.database.among import among
from app.entity.labels import Label
from app.entity.registry import EntityType, FieldKind, Relation, registry

MOST_KEPT = 200_000


@dataclass(frozen=True)
class OwnRow:
    """A row of the same file that another refers to by its code."""

    code: str


class References:
    """Finds the rows that an actor may refer to, relation by relation, as their forms do: the other party of a transfer
    or match is any organization. What was asked once is kept."""

    def __init__(self, session: Session, entity: EntityType) -> None:
        self.session, self.entity = session, entity
        self._known: dict[tuple[str, Purpose], dict[str, int | Label]] = defaultdict(dict)
        """By target entity and purpose, then by text: an id, or why there is none."""
        self.own_codes: set[str] = set()

    def expect(self, relation: Relation, texts: Iterable[str]) -> None:
        """Look these up together."""
        purpose = purpose_of(self.entity, relation.name)
        known = self._known[relation.target, purpose]
        if len(known) > MOST_KEPT:
            known.clear()
        wanted = sorted({text for text in texts if text not in known})
        if not wanted:
            return
        target = registry[relation.target]
        title = target.fields[target.options.title]
        by_code = dict(self._found(target, "code", wanted, purpose))
        rest = [text for text in wanted if text not in by_code]
        by_title: dict[str, list[int]] = defaultdict(list)
        if title.kind is FieldKind.TEXT and rest and not title.options.personal:
            for name, row_id in self._found(target, title.name, rest, purpose):
                by_title[name].append(row_id)
        for text in wanted:
            named = by_title.get(text, [])
            if text in by_code:
                known[text] = by_code[text]
            elif len(named) == 1:
                known[text] = named[0]
            else:
                known[text] = _missing(target, text, len(named))

    def find(self, relation: Relation, text: str) -> int | OwnRow | Label:
        """What a text leads to, or why it leads nowhere. Call ``expect`` first."""
        found = self._known[relation.target, purpose_of(self.entity, relation.name)][text]
        if isinstance(found, Label) and relation.target == self.entity.code and text in self.own_codes:
            return OwnRow(text)
        return found

    def _found(self, target: EntityType, column: str, texts: list[str], purpose: Purpose) -> Iterable[tuple[str, int]]:
        attribute = getattr(target.model, column)
        for condition in among(self.session.get_bind(), attribute, texts):
            for row in run_referable(self.session, referable(target.code).where(condition), purpose):
                yield (row.code if column == "code" else str(row.name)), row.id


def _missing(target: EntityType, text: str, count: int) -> Label:
    name = target.label
    if count:
        return Label(
            f"有 {count} 个{name.zh}都叫“{text}”，请改填代码",
            f"{count} records ({name.en.lower()}) are called “{text}”; give the code instead",
        )
    return Label(
        f"没有代码或名称为“{text}”的{name.zh}，请先导入或改正",
        f"there is no {name.en.lower()} with the code or name “{text}”; import it first, or correct this",
    )
