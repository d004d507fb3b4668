"""What of a row is read and how it looks in JSON: the columns of one SELECT, and the shape that its rows take.

    fields=name,organization,organization.tier
    {"name": "…", "organization": {"id": 5, "code": "…", "name": "…", "tier": "street"}}

A relation is ``{"id", "code", "name"}`` of the other row, joined in the same statement; a dotted path adds a column of
it. Codes stay codes, dates are ISO, amounts are numbers, personal columns are masked.

Only mapped columns are selected, never Core tables, so that the row scope's listener narrows every table of the
statement, joined ones included (``app.access.scope``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, String, select, type_coerce
from sqlalchemy.orm import aliased

from app.access.masking import masked
from app.access.references import row_names
from app.console.display import title_in_words
from app.entity.filters.columns import Column
from app.entity.registry import EntityType, Field, FieldKind, Relation, registry

from .names import ID, Entities, resolve

Reader = Callable[[Any], Any]
"""A value of the answer from a row of the result."""


def as_stored(code: Any) -> Any:
    """A column of codes as their texts: nothing of the list of codes is needed. Labelled, because SQLAlchemy otherwise
    mixes up coerced columns of the same name of two tables."""
    return type_coerce(code, String).label(None)


@dataclass
class Joins:
    """The aliases of rows that to-one relations lead to, each joined once: a ``Reach`` of the filter language."""

    root: Any
    aliases: dict[tuple[str, ...], Any] = field(default_factory=dict)
    steps: list[tuple[Any, Any]] = field(default_factory=list)

    def reach(self, hops: Sequence[Relation]) -> Any:
        """The mapped class or alias at the end of a chain of relations."""
        here, way = self.root, ()
        for hop in hops:
            way = (*way, hop.name)
            if way not in self.aliases:
                alias = aliased(registry[hop.target].model)
                self.steps.append((alias, getattr(here, hop.column) == alias.id))
                self.aliases[way] = alias
            here = self.aliases[way]
        return here

    def join(self, statement: Select[Any]) -> Select[Any]:
        for alias, condition in self.steps:
            statement = statement.outerjoin(alias, condition)
        return statement


@dataclass(frozen=True)
class _Referred:
    """Where in a result row the parts of a relation stand."""

    target: str
    key: int
    code: int
    title: int
    extra: tuple[tuple[tuple[str, ...], Reader], ...]


class Selection:
    """The columns that some fields need. Made once for a set of fields and kept; says nothing of which rows."""

    def __init__(self, entity: EntityType, fields: Iterable[str], entities: Entities) -> None:
        self.entity = entity
        self.joins = Joins(entity.model)
        self.columns: list[Any] = []
        self.named: dict[str, int] = {}
        """Where the column of a name stands; for a relation, the other row's title."""
        self._places: dict[Any, int] = {}
        self._readers: list[tuple[str, Reader]] = []
        self._referred: list[tuple[str, _Referred]] = []
        dotted: dict[str, list[str]] = {}
        order: list[str] = []
        whole: set[str] = set()
        for name in fields:
            first = name.partition(".")[0]
            if first not in order:
                order.append(first)
            if first == name:
                whole.add(name)
            else:
                dotted.setdefault(first, []).append(name)
        for name in order:
            if name == ID:
                self._readers.append((ID, itemgetter(self.place(entity.model.id, ((), ID)))))
            elif name in entity.relations:
                paths = [resolve(entity, path, entities) for path in dotted.get(name, ())]
                self._add_relation(entity.relations[name], name in whole, paths)
            else:
                self._readers.append((name, self._plain(entity.model, entity.fields[name])))
                self.named[name] = self.place(None, ((), name))

    def statement(self) -> Select[Any]:
        return self.joins.join(select(*self.columns))

    def items(self, rows: Sequence[Any], session: Any) -> list[dict[str, Any]]:
        """The rows as they are answered."""
        readers, referred = self._readers, self._referred
        if not referred:
            return [{name: reader(row) for name, reader in readers} for row in rows]
        unseen = self._unseen_names(rows, session)
        found = []
        for row in rows:
            item = {name: reader(row) for name, reader in readers}
            for name, parts in referred:
                item[name] = self._other(row, parts, unseen)
            found.append(item)
        return found

    # --- columns ---

    def place(self, expression: Any, key: tuple[Any, ...]) -> int:
        """Where a column stands in result rows; it is added where it is not there yet."""
        if key not in self._places:
            self._places[key] = len(self.columns)
            self.columns.append(expression)
        return self._places[key]

    def _plain(self, root: Any, described: Field, way: tuple[str, ...] = ()) -> Reader:
        expression = getattr(root, described.name)
        if described.kind is FieldKind.CODE:
            expression = as_stored(expression)
        read = itemgetter(self.place(expression, (way, described.name)))
        if described.options.personal:
            return lambda row: None if (value := read(row)) is None else masked(described, value)
        return read

    def _add_relation(self, relation: Relation, whole: bool, paths: list[Column]) -> None:
        extra = []
        for path in sorted(paths, key=lambda each: each.path.count(".")):  # a row before what is told of it
            names = tuple(path.path.split(".")[1:])
            target = self.joins.reach(path.hops)
            way = tuple(hop.name for hop in path.hops)
            if path.relation is not None:
                reader: Reader = self._reference(path)
            elif path.name == ID:
                reader = itemgetter(self.place(target.id, (way, ID)))
            else:
                assert path.entity is not None
                reader = self._plain(target, path.entity.fields[path.name], way)
            extra.append((names, reader))
            self.named[path.path] = self.place(None, self._place_of(path))
        if whole:
            end, other = self.joins.reach((relation,)), registry[relation.target]
            key = self.place(getattr(self.entity.model, relation.column), ((), relation.column))
            code = self.place(end.code, ((relation.name,), "code", "as it is")) if "code" in other.fields else key
            title = self.place(getattr(end, other.options.title), ((relation.name,), "title"))
            self.named[relation.name] = title
            parts = _Referred(relation.target, key, code, title, tuple(extra))
        else:
            parts = _Referred(relation.target, -1, -1, -1, tuple(extra))
        self._readers.append((relation.name, lambda row: None))  # keeps the place; see ``items``
        self._referred.append((relation.name, parts))

    @staticmethod
    def _place_of(path: Column) -> tuple[Any, ...]:
        way = tuple(hop.name for hop in path.hops)
        return ((*way, path.relation.name), "title") if path.relation is not None else (way, path.name)

    def _reference(self, path: Column) -> Reader:
        """A relation of another row: ``{"id", "code", "name"}`` of what it leads to, nothing where that is unseen."""
        assert path.relation is not None
        hops, other = (*path.hops, path.relation), registry[path.relation.target]
        end, way = self.joins.reach(hops), tuple(hop.name for hop in hops)
        key = self.place(end.id, (way, ID))
        code = self.place(end.code, (way, "code", "as it is")) if "code" in other.fields else None
        title = self.place(getattr(end, other.options.title), (way, "title"))

        def read(row: Any) -> Any:
            if row[key] is None:
                return None
            known = row[code] if code is not None else None
            return {"id": row[key], "code": known, "name": title_in_words(other, row[title], known or "")}

        return read

    # --- the other row ---

    def _other(self, row: Any, parts: _Referred, unseen: dict[tuple[str, int], str]) -> Any:
        item: dict[str, Any] = {}
        if parts.key >= 0:
            key = row[parts.key]
            if key is None:
                return None
            title = row[parts.title]
            if title is None and (parts.target, key) in unseen:
                item = {"id": key, "code": None, "name": unseen[parts.target, key]}
            else:
                code = row[parts.code] if parts.code != parts.key else None
                name = title if type(title) is str else title_in_words(registry[parts.target], title, code or "")
                item = {"id": key, "code": code, "name": name if name or code else None}
        for names, reader in parts.extra:
            here: dict[str, Any] | None = item
            for name in names[:-1]:
                here = here.setdefault(name, {}) if here is not None else None
            if here is None:  # there is no such row
                continue
            value = reader(row)
            if value is not None or names[-1] not in here:  # the name of a row out of sight may be known all the same
                here[names[-1]] = value
        return item

    def _unseen_names(self, rows: Sequence[Any], session: Any) -> dict[tuple[str, int], str]:
        """The names of rows that are referred to but lie out of sight (an organization above)."""
        missing: dict[str, set[int]] = {}
        for _name, parts in self._referred:
            if parts.key >= 0:
                keys = {row[parts.key] for row in rows if row[parts.title] is None} - {None}
                if keys:
                    missing.setdefault(parts.target, set()).update(keys)
        return {
            (target, key): title_in_words(registry[target], found.name, found.code)
            for target, keys in missing.items()
            for key, found in row_names(session, target, keys).items()
        }
