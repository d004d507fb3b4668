"""What makes a row valid, checked before it is written, whichever door it comes through: form, API, import, code.

A listener on the session goes over every row that a flush adds or changes:

1. texts are normalized (``normalized``), empty ones are missing;
2. what follows from elsewhere is filled in: ``filled_from`` of fields, ``fill_in`` of the entity, keyed hashes;
3. fields are checked against their declaration: required, length, pattern, code list, period, uniqueness;
4. the entity's own ``find_faults`` is asked for.

All faults of all rows are raised together as ``InvalidRow``, before anything is written. Rows that others refer to are
not deleted. Bulk statements pass all of this by; the modules that use them answer for it.

This module reads through ``session.connection()``, past the row scope: what it reads it only compares with, or copies
from rows that the flush check holds to be in reach.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import event, inspect, select, update
from sqlalchemy.orm import Session as OrmSession

from app.database.encryption import keyring
from app.database.session import Session

from .faults import FieldError, InvalidRow
from .labels import UserError
from .normalization import normalized
from .periods import Period
from .registry import Entity, EntityType, Field, FieldKind, registry
from .related import Related
from .uniqueness import doubles, still_referred_to

__all__ = ["FieldError", "InvalidRow", "validate"]


def validate(session: OrmSession) -> None:
    """Normalize, complete and check all rows that the session is about to write. Raises InvalidRow."""
    changed = [row for row in session.dirty if isinstance(row, Entity) and session.is_modified(row)]
    rows = [row for row in session.new if isinstance(row, Entity)] + changed
    related = Related(session, rows)
    faults: dict[Any, list[FieldError]] = defaultdict(list)
    _follow(session, changed, related)
    for row in rows:
        entity = registry.of(type(row))
        if entity is None:
            continue
        _set_defaults(entity, row)
        _normalize(entity, row)
        _fill(entity, row, related)
        row.fill_in(related)
        _hash(entity, row)
        found = list(_faults_of(entity.fields.values(), row))
        found = found or list(row.find_faults(related))
        # What people cannot see is said of last: it is missing because of something that they can.
        faults[row] += found or list(_faults_of(entity.hidden_fields.values(), row))
    for row, fault in doubles(session, rows):
        faults[row].append(fault)
    _refuse(faults)
    for row, fault in still_referred_to(session):
        faults[row].append(fault)
    _refuse(faults, 409)


def _refuse(faults: dict[Any, list[FieldError]], status: int = 422) -> None:
    faults = {row: found for row, found in faults.items() if found}
    if faults:
        raise InvalidRow(faults, status)


def _all_fields(entity: EntityType) -> Iterable[Field]:
    return (*entity.fields.values(), *entity.hidden_fields.values())


def _set_defaults(entity: EntityType, row: Entity) -> None:
    """The defaults of required columns, now rather than at the INSERT, so that the checks below see them."""
    if not inspect(row).pending:
        return
    for field in _all_fields(entity):
        default = row.__table__.columns[field.name].default
        if not field.nullable and default is not None and getattr(row, field.name) is None:
            setattr(row, field.name, default.arg(None) if default.is_callable else default.arg)


def _normalize(entity: EntityType, row: Entity) -> None:
    for field in _all_fields(entity):
        value = getattr(row, field.name)
        if isinstance(value, str) and field.kind in _TEXTS:
            text = normalized(value, strictly=field.kind is not FieldKind.LONG_TEXT and _is_identifier(field))
            if text != value or (text == "" and field.nullable):
                setattr(row, field.name, text or None if field.nullable else text)


_TEXTS = {FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.ENCRYPTED, FieldKind.PERIOD}


def _is_identifier(field: Field) -> bool:
    """Codes and numbers, in which a full-width sign never means itself."""
    return field.name == "code" or bool(field.options.pattern) or field.kind in (FieldKind.ENCRYPTED, FieldKind.PERIOD)


def _fill(entity: EntityType, row: Entity, related: Related) -> None:
    """``filled_from``: what is missing, and always what is not for people to set."""
    for field in _all_fields(entity):
        options = field.options
        if not options.filled_from:
            continue
        relation = field.name.removesuffix("_id") if options.target else None
        present = related.pending_of(row, relation) if relation else None
        if options.editable and (getattr(row, field.name) is not None or present is not None):
            continue
        for path in options.filled_from:
            value = _as_kind(related.value(row, path), entity.fields.get(path), field)
            if value is None:
                continue
            if relation and isinstance(value, Entity):
                setattr(row, relation, value)
            elif getattr(row, field.name) != value:
                setattr(row, field.name, value)
            break


def _as_kind(value: Any, source: Field | None, field: Field) -> Any:
    """What a value says in a field of another kind: a code its Chinese label, a period its first day."""
    if value is None or source is None:
        return value
    if source.code_list is not None and field.kind is FieldKind.TEXT:
        return source.code_list(value).label.zh if value in source.code_list else None
    if source.kind is FieldKind.PERIOD and field.kind is FieldKind.DATE:
        try:
            return Period.parse(value).start
        except UserError:
            return None  # said of the period itself
    return value


def _hash(entity: EntityType, row: Entity) -> None:
    """Keyed hashes beside encrypted columns."""
    for field in entity.hidden_fields.values():
        source = field.options.hash_of
        if source and (inspect(row).attrs[source].history.has_changes() or inspect(row).pending):
            value = getattr(row, source)
            setattr(row, field.name, keyring().digest(value) if value else None)


def _faults_of(fields: Iterable[Field], row: Entity) -> Iterable[FieldError]:
    for field in fields:
        yield from _field_faults(row, field)


def _field_faults(row: Entity, field: Field) -> Iterable[FieldError]:
    value = getattr(row, field.name)
    if value is None or (value == "" and not field.options.hidden):
        if field.kind is FieldKind.REFERENCE and Related.pending_of(row, field.name.removesuffix("_id")) is not None:
            return
        if not field.nullable:
            yield FieldError(field.name, "不能为空", "must not be empty")
        return
    if field.maximum_length and field.kind is FieldKind.TEXT and len(value) > field.maximum_length:
        yield FieldError(field.name, f"最多 {field.maximum_length} 个字", f"{field.maximum_length} characters at most")
    if field.options.pattern and isinstance(value, str) and not _matches(field, value):
        help_ = field.options.help
        yield FieldError(
            field.name,
            f"“{value}”格式不对" + (f"：{help_.zh}" if help_ else ""),
            f"“{value}” is not of the right form" + (f": {help_.en}" if help_ else ""),
        )
    if field.code_list and value not in set(field.code_list):
        words = "、".join(member.label.zh for member in field.code_list)
        codes = ", ".join(member.value for member in field.code_list)
        yield FieldError(field.name, f"没有“{value}”这个选项；可以填：{words}", f"“{value}” is not one of: {codes}")
    if field.kind is FieldKind.PERIOD:
        try:
            Period.parse(str(value))
        except UserError as problem:
            yield FieldError(field.name, problem.label.zh, problem.label.en)


def _matches(field: Field, value: str) -> bool:
    return re.fullmatch(field.options.pattern or "", value) is not None


def _follow(session: OrmSession, changed: list[Entity], related: Related) -> None:
    """Fields that always come from a changed row follow it. Rows that the actor sees are loaded, so that whoever
    watches changes sees theirs; the rest are written by one statement."""
    for row in changed:
        source = registry.of(type(row))
        for entity in registry if source else ():
            for field in _all_fields(entity):
                if field.options.editable:
                    continue
                for path in field.options.filled_from:
                    relation, _, end = path.partition(".")
                    known = entity.relations.get(relation)
                    if end and known is not None and known.target == source.code and _is_changed(source, row, end):
                        _take_along(session, entity, field, known.column, row, related.value(row, end))


def _is_changed(source: EntityType, row: Entity, end: str) -> bool:
    """Whether the end of a path, a field or a relation, has another value than is stored."""
    names = (end, f"{end}_id") if end in source.relations else (end,)
    return any(inspect(row).attrs[name].history.has_changes() for name in names)


def _take_along(session: OrmSession, entity: EntityType, field: Field, column: str, row: Entity, value: Any) -> None:
    model = entity.model
    is_unsaved = isinstance(value, Entity)
    for dependent in session.scalars(select(model).where(getattr(model, column) == row.id)):
        setattr(dependent, field.name.removesuffix("_id") if is_unsaved else field.name, value)
    if is_unsaved:
        return  # it has no id that a statement could write; the rows loaded follow
    table = model.__table__
    session.connection().execute(update(table).where(table.columns[column] == row.id).values({field.name: value}))


@event.listens_for(Session, "before_flush", insert=True)
def _before_flush(session: OrmSession, _context: Any, _instances: Any) -> None:
    with session.no_autoflush:
        validate(session)
