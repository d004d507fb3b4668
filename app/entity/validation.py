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
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event, inspect, select, update
from sqlalchemy.orm import Session as OrmSession

from app.database.encryption import keyring
from app.database.session import Session

from .code_lists import CodeList
from .faults import FieldError, InvalidRow
from .labels import UserError
from .normalization import normalized
from .periods import Period
from .registry import Entity, EntityType, Field, FieldKind, registry
from .related import Related
from .uniqueness import doubles, still_referred_to

__all__ = ["FieldError", "InvalidRow", "validate"]

_Test = Callable[[Any], bool]


def validate(session: OrmSession) -> None:
    """Normalize, complete and check all rows that the session is about to write. Raises InvalidRow."""
    changed = [row for row in session.dirty if isinstance(row, Entity) and session.is_modified(row)]
    rows = [row for row in session.new if isinstance(row, Entity)] + changed
    related = Related(session, rows)
    faults: dict[Any, list[FieldError]] = defaultdict(list)
    _follow(session, changed, related)
    for row in rows:
        entity = registry.of(type(row))
        if entity is not None:
            faults[row] += check_row(entity, row, related)
    for row, fault in doubles(session, rows, related.made_up):
        faults[row].append(fault)
    _refuse(faults)
    for row, fault in still_referred_to(session):
        faults[row].append(fault)
    _refuse(faults, 409)


def check_row(entity: EntityType, row: Any, related: Related) -> list[FieldError]:
    """Normalize, complete and check one row; what is wrong with it, but for doubles.

    ``row`` is an instance, in a session or not, or a stand-in for a new one (``app.exchange.stand_ins``).
    """
    plan = _plan(entity)
    if _is_new(row):
        _set_defaults(plan, row, related)
    _normalize(plan, row)
    _fill(entity, plan, row, related)
    entity.model.fill_in(row, related)
    _hash(plan, row)
    found = _faults_of(plan.visible, row)
    found = found or list(entity.model.find_faults(row, related))
    # What people cannot see is said of last: it is missing because of something that they can.
    return found or _faults_of(plan.hidden, row)


def _is_new(row: Any) -> bool:
    return not isinstance(row, Entity) or not inspect(row).persistent


def _refuse(faults: dict[Any, list[FieldError]], status: int = 422) -> None:
    faults = {row: found for row, found in faults.items() if found}
    if faults:
        raise InvalidRow(faults, status)


@dataclass(frozen=True)
class _Plan:
    """What has to be looked at in a row of an entity, found once: most fields need nothing."""

    defaults: tuple[tuple[str, Any], ...]
    """Of required columns: name and SQLAlchemy's default."""
    texts: tuple[tuple[Field, bool], ...]
    """With whether NFKC applies as a whole."""
    filled: tuple[Field, ...]
    hashes: tuple[tuple[str, str], ...]
    """Name of the hash, name of what it is of."""
    visible: tuple[tuple[Field, _Test], ...]
    hidden: tuple[tuple[Field, _Test], ...]
    """Fields that can be wrong, each with a quick test that only sound values pass."""


_plans: WeakKeyDictionary[type, tuple[EntityType, _Plan]] = WeakKeyDictionary()


def _plan(entity: EntityType) -> _Plan:
    known = _plans.get(entity.model)
    if known is not None and known[0] is entity:
        return known[1]
    columns = entity.model.__table__.columns
    fields = list(_all_fields(entity))
    plan = _Plan(
        tuple(
            (field.name, columns[field.name].default)
            for field in fields
            if not field.nullable and columns[field.name].default is not None
        ),
        tuple(
            (field, field.kind is not FieldKind.LONG_TEXT and _is_identifier(field))
            for field in fields
            if field.kind in _TEXTS
        ),
        tuple(field for field in fields if field.options.filled_from),
        tuple((name, field.options.hash_of) for name, field in entity.hidden_fields.items() if field.options.hash_of),
        tuple((field, quick_test_of(field)) for field in entity.fields.values() if _can_be_wrong(field)),
        tuple((field, quick_test_of(field)) for field in entity.hidden_fields.values() if _can_be_wrong(field)),
    )
    _plans[entity.model] = (entity, plan)
    return plan


def _can_be_wrong(field: Field) -> bool:
    return bool(
        not field.nullable
        or field.code_list
        or field.options.pattern
        or field.kind is FieldKind.PERIOD
        or (field.maximum_length and field.kind is FieldKind.TEXT)
    )


def quick_test_of(field: Field) -> _Test:
    """A test of values other than None: whether nothing is wrong by the field's declaration. It may say no to a sound
    value, never yes to a wrong one: what it does not pass is looked at by ``value_faults``."""
    if field.options.pattern or field.kind is FieldKind.PERIOD:
        return lambda value: False
    if field.code_list:
        return _codes(field.code_list).__contains__
    if field.kind is FieldKind.TEXT and field.maximum_length:
        longest = field.maximum_length
        return lambda value: 0 < len(value) <= longest
    return lambda value: value != ""


def _all_fields(entity: EntityType) -> Iterable[Field]:
    return (*entity.fields.values(), *entity.hidden_fields.values())


def _set_defaults(plan: _Plan, row: Any, related: Related) -> None:
    """The defaults of required columns, now rather than at the INSERT, so that the checks below see them."""
    for name, default in plan.defaults:
        if getattr(row, name) is None:
            setattr(row, name, default.arg(None) if default.is_callable else default.arg)
            if name == "code" and isinstance(row, Entity):
                related.made_up.add(row)


def _normalize(plan: _Plan, row: Any) -> None:
    for field, strictly in plan.texts:
        value = getattr(row, field.name)
        if isinstance(value, str):
            text = normalized(value, strictly=strictly)
            if text != value or (text == "" and field.nullable):
                setattr(row, field.name, text or None if field.nullable else text)


_TEXTS = {FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.ENCRYPTED, FieldKind.PERIOD}


def _is_identifier(field: Field) -> bool:
    """Codes and numbers, in which a full-width sign never means itself."""
    return field.name == "code" or bool(field.options.pattern) or field.kind in (FieldKind.ENCRYPTED, FieldKind.PERIOD)


def _fill(entity: EntityType, plan: _Plan, row: Any, related: Related) -> None:
    """``filled_from``: what is missing, and always what is not for people to set."""
    for field in plan.filled:
        options = field.options
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
        return source.code_list(value).label.zh if value in _codes(source.code_list) else None
    if source.kind is FieldKind.PERIOD and field.kind is FieldKind.DATE:
        try:
            return Period.parse(value).start
        except UserError:
            return None  # said of the period itself
    return value


def _hash(plan: _Plan, row: Any) -> None:
    """Keyed hashes beside encrypted columns."""
    for name, source in plan.hashes:
        if _is_new(row) or inspect(row).attrs[source].history.has_changes():
            value = getattr(row, source)
            setattr(row, name, keyring().digest(value) if value else None)


def _faults_of(fields: Iterable[tuple[Field, _Test]], row: Any) -> list[FieldError]:
    faults: list[FieldError] = []
    for field, is_sound in fields:
        value = getattr(row, field.name)
        if field.nullable if value is None else is_sound(value):
            continue
        faults += _field_faults(row, field)
    return faults


def _field_faults(row: Any, field: Field) -> Iterable[FieldError]:
    value = getattr(row, field.name)
    is_pending = value is None and field.kind is FieldKind.REFERENCE
    if is_pending and Related.pending_of(row, field.name.removesuffix("_id")) is not None:
        return
    yield from value_faults(field, value)


def value_faults(field: Field, value: Any) -> Iterable[FieldError]:
    """What is wrong with a value by the field's declaration alone."""
    if value is None or (value == "" and not field.options.hidden):
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
    if field.code_list and value not in _codes(field.code_list):
        words = "、".join(member.label.zh for member in field.code_list)
        codes = ", ".join(member.value for member in field.code_list)
        yield FieldError(field.name, f"没有“{value}”这个选项；可以填：{words}", f"“{value}” is not one of: {codes}")
    if field.kind is FieldKind.PERIOD:
        try:
            Period.parse(str(value))
        except UserError as problem:
            yield FieldError(field.name, problem.label.zh, problem.label.en)


@cache
def _codes(code_list: type[CodeList]) -> frozenset[str]:
    return frozenset(code_list)


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
