"""The rows of a rule test in a database of its own: what is stated, and harmless values for the rest.

A database in memory holds every entity's table without constraints, so that a test need state no more than what it is
about. Each case's rows live in a transaction that is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Numeric, Table, create_engine, insert
from sqlalchemy.pool import StaticPool

from app.database.encryption import Keyring, keyring, use_keyring
from app.entity.labels import UserError
from app.entity.periods import Period, PeriodKind
from app.entity.registry import EntityType, Field, FieldKind, Registry, Relation

from .case_parsing import Case, Given
from .reading import Place, listed

_HARMLESS_CODES = ("other", "none")


class CaseDatabase:
    """A SQLite database in memory with the tables of all entities."""

    def __init__(self, entities: Registry) -> None:
        try:
            keyring()
        except RuntimeError:
            use_keyring(Keyring.generate())  # nothing of it outlives the tests
        self._engine = create_engine("sqlite://", poolclass=StaticPool)
        metadata = MetaData()
        for entity in entities:
            table = entity.model.__table__
            Table(
                table.name,
                metadata,
                *(Column(c.name, c.type, primary_key=c.primary_key, autoincrement=False) for c in table.columns),
            )
        metadata.create_all(self._engine)

    @contextmanager
    def rows_of(self, case: Case, entities: Registry) -> Iterator[tuple[Connection, CaseRows]]:
        """The case's rows, for as long as the block lasts. Faults of rows are reported at their places."""
        rows = CaseRows(case, entities)
        with self._engine.connect() as connection, connection.begin() as transaction:
            for entity, row in rows.everything():
                connection.execute(insert(entity.model.__table__).values(row))
            yield connection, rows
            transaction.rollback()


@dataclass
class Row:
    """A row on its way into the database. ``place`` is None for rows made because another needed one."""

    entity: EntityType
    values: dict[str, Any]
    place: Place | None = None


@dataclass
class CaseRows:
    """The rows of one case, with ids from 1 in the order written, ties and values filled in."""

    case: Case
    entities: Registry
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for code, given in self.case.rows.items():
            for item in given:
                self._add(self.entities[code], item)
        for row in self._all():
            self._stated_ties(row)
        for _ in range(3):  # a row's owner may come from its member's, which comes from the only organization
            for row in self._all():
                self._fill_from_others(row)
                self._tie_to_the_only(row)
        for row in self._all():
            self._require_ties(row)
        for row in self._all():
            self._fill_from_others(row)
            self._harmless_values(row)
        self._paths()

    def everything(self) -> Iterator[tuple[EntityType, dict[str, Any]]]:
        for row in self._all():
            yield row.entity, row.values

    def given_ids(self, entity: str) -> list[int]:
        """The ids of the rows that the case states, in its order."""
        return [row.values["id"] for row in self.rows.get(entity, ()) if row.place is not None]

    def value(self, entity: str, identity: int, column: str) -> Any:
        """A column of a row; None if there is no such row."""
        found = next((row for row in self.rows.get(entity, ()) if row.values["id"] == identity), None)
        return found.values.get(column) if found else None

    def id_of(self, entity: str, code: str) -> int | None:
        found = (row for row in self.rows.get(entity, ()) if row.values.get("code") == code)
        return next((row.values["id"] for row in found), None)

    def _all(self) -> list[Row]:
        return [row for rows in list(self.rows.values()) for row in list(rows)]

    def _add(self, entity: EntityType, given: Given | None) -> Row:
        rows = self.rows.setdefault(entity.code, [])
        row = Row(entity, {"id": len(rows) + 1}, given.place if given else None)
        rows.append(row)
        for name, value in (given.values if given else {}).items():
            if name in entity.relations:
                row.values[name] = value  # a code until all rows are known
            elif name in entity.fields:
                row.values[name] = self._typed(entity.fields[name], value, row)
        return row

    def _fault(self, row: Row, zh: str, en: str, *steps: str) -> None:
        (row.place or self.case.place).fault(zh, en, *steps)

    # Ties

    def _stated_ties(self, row: Row) -> None:
        for relation in row.entity.relations.values():
            if relation.name not in row.values:
                continue
            code = row.values.pop(relation.name)
            identity = None if code is None else self.id_of(relation.target, str(code))
            if code is not None and identity is None:
                known = listed(row.values.get("code") for row in self.rows.get(relation.target, ()))
                self._fault(
                    row,
                    f"没有代码为“{code}”的 {relation.target}；给出的有：{known}",
                    f"there is no {relation.target} with the code “{code}”; given are: {known}",
                    relation.name,
                )
            row.values[relation.column] = identity

    def _tie_to_the_only(self, row: Row) -> None:
        for relation in row.entity.relations.values():
            targets = self.rows.get(relation.target, [])
            if relation.column in row.values or len(targets) != 1 or relation.target == row.entity.code:
                continue
            if row.entity.fields[relation.column].options.filled_from and self._pending(row, relation):
                continue
            if self._is_meant(row, relation):
                row.values[relation.column] = targets[0].values["id"]

    def _is_meant(self, row: Row, relation: Relation) -> bool:
        """Whether “the row's relation” to an entity is this one: the declared tie, or one that has to be there."""
        if not relation.nullable:
            return True
        others = row.entity.relations_to(relation.target)
        if row.entity.tie_to(relation.target) != relation.name and len(others) > 1:
            return False
        either = self._either_or(row.entity)
        if relation.name not in either:
            return True
        if any(row.entity.relations[name].column in row.values for name in either):
            return False
        wanted = next((name for name in either if row.entity.relations[name].target == self.case.rule.subject), None)
        return relation.name == (wanted or either[0])

    @staticmethod
    def _either_or(entity: EntityType) -> tuple[str, ...]:
        """The relations of an entity whose rows belong to an organization or to a member, but not to both."""
        names = (entity.options.owner, entity.options.person)
        relations = [entity.relations[name] for name in names if name in entity.relations]
        both = len(relations) == 2 and all(relation.nullable for relation in relations)
        return tuple(relation.name for relation in relations) if both else ()

    def _pending(self, row: Row, relation: Relation) -> bool:
        """Whether the relation can still be filled from a row that is tied already."""
        paths = row.entity.fields[relation.column].options.filled_from
        return any(row.values.get(f"{path.partition('.')[0]}_id") is not None for path in paths)

    def _require_ties(self, row: Row) -> None:
        self._fill_from_others(row)
        for relation in row.entity.relations.values():
            if relation.nullable or row.values.get(relation.column) is not None:
                continue
            targets = self.rows.get(relation.target, [])
            if len(targets) > 1:
                codes = listed(target.values.get("code", "—") for target in targets)
                self._fault(
                    row,
                    f"要写明是哪个 {relation.name}；给出的有：{codes}",
                    f"say which {relation.name} it belongs to; given are: {codes}",
                )
                continue
            target = targets[0] if targets else self._add(self.entities[relation.target], None)
            row.values[relation.column] = target.values["id"]
            if not targets:
                self._require_ties(target)

    # Values

    def _fill_from_others(self, row: Row) -> None:
        """Columns that the system fills from the rows a row belongs to, unless stated."""
        for name, declared in {**row.entity.fields, **row.entity.hidden_fields}.items():
            if row.values.get(name) is None and name not in row.values:
                for path in declared.options.filled_from:
                    value = self._follow(row, path, is_reference=declared.options.target is not None)
                    if value is not None:
                        row.values[name] = value
                        break

    def _follow(self, row: Row, path: str, *, is_reference: bool) -> Any:
        *hops, last = path.split(".")
        at: Row | None = row
        for hop in hops:
            at = self._related(at, hop)
            if at is None:
                return None
        return at.values.get(f"{last}_id" if is_reference else last)

    def _related(self, row: Row, relation: str) -> Row | None:
        known = row.entity.relations.get(relation)
        identity = row.values.get(known.column) if known else None
        targets = self.rows.get(known.target, []) if known else []
        return next((target for target in targets if target.values["id"] == identity), None)

    def _harmless_values(self, row: Row) -> None:
        for name, declared in row.entity.fields.items():
            column = row.entity.model.__table__.c[name]
            if name in row.values or column.default is not None or column.server_default is not None:
                continue
            if declared.options.target is None and not declared.nullable:
                row.values[name] = self._harmless(row, declared)

    def _harmless(self, row: Row, declared: Field) -> Any:
        as_of = self.case.as_of
        match declared.kind:
            case FieldKind.INTEGER:
                return 0
            case FieldKind.DECIMAL:
                return self._typed(declared, 0, row)
            case FieldKind.BOOLEAN:
                return False
            case FieldKind.DATE:
                return as_of
            case FieldKind.MOMENT:
                return datetime.combine(as_of, time())
            case FieldKind.PERIOD:
                return str(self.case.period or Period.containing(as_of, PeriodKind.MONTH))
            case FieldKind.CODE if declared.code_list is not None:
                codes = [member.value for member in declared.code_list]
                return next((code for code in _HARMLESS_CODES if code in codes), codes[0])
        return f"{row.entity.code} {row.values['id']}"

    def _typed(self, declared: Field, value: Any, row: Row) -> Any:
        """A stated value as the column takes it; what does not fit is a fault."""
        if value is None:
            return None
        try:
            return self._converted(declared, value, row)
        except (ValueError, TypeError, ArithmeticError, UserError):
            self._fault(
                row,
                f"“{value}”不适合“{declared.label.zh}”（{declared.kind}）",
                f"“{value}” does not fit {declared.name} ({declared.kind})",
                declared.name,
            )
            return None

    def _converted(self, declared: Field, value: Any, row: Row) -> Any:
        match declared.kind:
            case FieldKind.BOOLEAN:
                if not isinstance(value, bool):
                    raise ValueError(value)
                return value
            case FieldKind.INTEGER | FieldKind.DECIMAL:
                if isinstance(value, bool | date):
                    raise ValueError(value)
                column = row.entity.model.__table__.c[declared.name]
                if isinstance(column.type, Numeric) and column.type.asdecimal:
                    return Decimal(str(value))
                return int(value) if declared.kind is FieldKind.INTEGER else float(value)
            case FieldKind.DATE:
                if isinstance(value, datetime):
                    return value.date()
                return value if isinstance(value, date) else date.fromisoformat(value)
            case FieldKind.MOMENT:
                if isinstance(value, datetime):
                    return value
                return datetime.combine(value, time()) if isinstance(value, date) else datetime.fromisoformat(value)
            case FieldKind.PERIOD:
                return str(Period.parse(str(value)))
            case FieldKind.CODE if declared.code_list is not None:
                return declared.code_list(str(value))
        return str(value)

    def _paths(self) -> None:
        """The materialized paths of organizations, from the root down."""
        organizations = {row.values["id"]: row for row in self.rows.get("organization", ())}
        for identity, row in organizations.items():
            chain, seen = [identity], {identity}
            above = row.values.get("parent_id")
            while above in organizations and above not in seen:
                chain.append(above)
                seen.add(above)
                above = organizations[above].values.get("parent_id")
            row.values["path"] = "/" + "".join(f"{each}/" for each in reversed(chain))
