"""The registry of entities: what is declared, described so that everything else can be generated from it.

Nothing assumes that the list is fixed: entities can be registered and withdrawn while the program runs; ``version``
changes with each, so that generated views, filters and rule checks know when to look again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Boolean, Date, DateTime, Float, Integer, Numeric
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.database.base import Base

from .code_lists import CodeList
from .column_types import CodeType, EncryptedType, PeriodType
from .fields import FieldOptions
from .labels import Label
from .visibility import Visibility

if TYPE_CHECKING:
    from .faults import FieldError
    from .related import Related

STATE_NAMES = ("status", "state", "stage")

EntityModel = TypeVar("EntityModel", bound="Entity")


class FieldKind(StrEnum):
    """What a field's values are, for forms, filters, files and rules."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    MOMENT = "moment"
    PERIOD = "period"
    CODE = "code"
    ENCRYPTED = "encrypted"
    REFERENCE = "reference"


@dataclass(frozen=True)
class EntityOptions:
    """What an entity's ``__entity__`` declares."""

    label: Label
    visibility: Visibility
    title: str
    """The field that names a row for people."""
    group: str
    """The menu group: a key of ``app.console.menu``."""
    about: Label | None = None
    """One sentence: what belongs here and how it comes here. Shown where a list is empty."""
    icon: str = "fa-table"
    owner: str | None = "organization"
    """The relation that ties a row to an organization, for scope and for rules; None for rows of nobody (PUBLIC). An
    organization's own owner is ``self``."""
    person: str | None = None
    """The relation that ties a row to a member: a member who signs in sees only their own. ``self`` for members."""
    parties: tuple[str, ...] = ()
    """For Visibility.PARTIES: the relations to organizations, any of which may see the row."""
    shown_below: str | None = None
    """The relation to an organization below which the row is seen as well, once it is set: a wish that was published
    within a street. It is written by its owner's staff alone."""
    inherited_since: str | None = None
    """For Visibility.INHERITED: the date field that says since when rows of organizations above are seen. While it is
    empty the row is a draft: those who keep it see it, those below and members do not."""
    scope: str | None = None
    """The relation whose organization bounds visibility where it is not ``owner`` (observations of members)."""
    dated_by: str | None = None
    """The date, moment or period column that places a row in time."""
    valid_between: tuple[str | None, str | None] | None = None
    """The columns that say from when and until when (inclusive) a row is valid; None is open on that side."""
    state: str | None = None
    """The code-list field that says how far a row has come, for boards and colours; unless told otherwise the one that
    is called ``status``, ``state`` or ``stage``."""
    natural_key: tuple[str, ...] = ()
    """Fields and relations that identify a row in files that carry no ``code``."""
    alike: tuple[tuple[str, ...], ...] = ()
    """Fields which, when all of one group agree, make two rows look like the same one: a hint to whoever enters it."""
    order_by: str | None = None
    """The default order of lists: a field name, ``-`` before it for descending."""
    measure: str = "条"
    """The Chinese measure word for counts: 个, 名, 次."""
    plural: str = ""
    """The English plural; the English label and “s” if empty."""
    read_only: bool = False
    copied_in: bool = False
    """New rows out of files may be copied into the table at once: no listener on the session acts on them, and their
    ``fill_in`` and ``find_faults`` ask nothing of SQLAlchemy's state of the row."""
    refers_to_wider: bool = False
    """Rows may be referred to from below although they are not visible there (courses, parent organizations)."""


@dataclass(frozen=True)
class Field:
    """A column of an entity."""

    name: str
    kind: FieldKind
    options: FieldOptions
    nullable: bool
    has_default: bool
    unique: bool
    maximum_length: int | None = None
    code_list: type[CodeList] | None = None

    @property
    def label(self) -> Label:
        return self.options.label


@dataclass(frozen=True)
class Relation:
    """A to-one relation: ``name`` is the relationship, ``column`` the field that holds the id."""

    name: str
    column: str
    target: str
    label: Label
    nullable: bool


@dataclass(frozen=True)
class EntityType:
    """An entity, described."""

    code: str
    model: type[Entity]
    options: EntityOptions
    fields: dict[str, Field] = field(repr=False)
    """By name, in the order of declaration, hidden ones left out; references included (``organization_id``)."""
    relations: dict[str, Relation] = field(repr=False)
    hidden_fields: dict[str, Field] = field(repr=False, default_factory=dict)

    @property
    def label(self) -> Label:
        return self.options.label

    @property
    def state(self) -> Field | None:
        """The field that says how far a row has come; None for what has no state."""
        names = (self.options.state,) if self.options.state else STATE_NAMES
        found = (self.fields.get(name) for name in names)
        return next((field for field in found if field is not None and field.code_list is not None), None)

    def relations_to(self, target: str) -> list[Relation]:
        """The relations that lead to another entity, in the order of declaration."""
        return [relation for relation in self.relations.values() if relation.target == target]

    def tie_to(self, subject: str) -> str | None:
        """The relation by which rules tie a row to a subject of another entity: the declared owner for
        organizations, the declared person for members, else the only relation; None if it must be said with ``via``."""
        options = self.options
        if subject == "organization" and options.owner not in (None, "self"):
            return options.owner
        if subject == "member" and options.person not in (None, "self"):
            return options.person
        candidates = self.relations_to(subject)
        return candidates[0].name if len(candidates) == 1 else None


class Entity(Base):
    """Base of every entity: ``id`` for the database, ``code`` for files and other systems.

    A subclass declares ``__tablename__ = "bc_<code>"``, ``__entity__ = EntityOptions(…)`` and its fields with the
    functions of ``app.entity.fields``, and is registered by ``@registry.register``. That is all: console, API, Excel,
    permissions, filters and rules follow.
    """

    __abstract__ = True
    __entity__: EntityOptions

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    revision: Mapped[int] = mapped_column(
        Integer,
        default=1,
        server_default="1",
        info={"field": FieldOptions(Label("版本", "Revision"), editable=False, hidden=True)},
    )
    """Counts the changes of the row: 1 when it is added. The session refuses to write over a change that it has not
    seen (``StaleDataError``); forms and the API compare it with the one they were opened with. A Core or bulk UPDATE
    that changes what people see adds 1 to it as well (``table.c.revision + 1``)."""

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"eager_defaults": False, "version_id_col": cls.revision}

    def fill_in(self, related: Related) -> None:
        """Set what follows from the row's other values. Called before it is checked and written."""

    def find_faults(self, related: Related) -> Iterable[FieldError]:
        """What is wrong with the row beyond its single fields. Called when those are right, before it is written;
        ``related`` gives the rows it refers to."""
        return ()

    def __str__(self) -> str:
        return str(getattr(self, self.__entity__.title) or getattr(self, "code", self.id))


def _kind(column: Any) -> FieldKind:
    type_ = column.type
    if column.info["field"].target:
        return FieldKind.REFERENCE
    for class_, kind in (
        (CodeType, FieldKind.CODE),
        (PeriodType, FieldKind.PERIOD),
        (EncryptedType, FieldKind.ENCRYPTED),
        (Boolean, FieldKind.BOOLEAN),
        (Integer, FieldKind.INTEGER),
        ((Float, Numeric), FieldKind.DECIMAL),
        (DateTime, FieldKind.MOMENT),
        (Date, FieldKind.DATE),
    ):
        if isinstance(type_, class_):
            return kind
    return FieldKind.TEXT if getattr(type_, "length", None) else FieldKind.LONG_TEXT


def describe(model: type[Entity]) -> EntityType:
    """Describe a mapped class. Raises TypeError where the declaration contradicts itself."""
    code = model.__tablename__.removeprefix("bc_")
    fields: dict[str, Field] = {}
    hidden: dict[str, Field] = {}
    relations: dict[str, Relation] = {}
    # The table's columns rather than the mapper's, whose relations may lead to classes that are not there yet. A
    # column's attribute has the column's name.
    for column in model.__table__.columns:
        options = column.info.get("field")
        if options is None:
            continue
        described = Field(
            column.key,
            _kind(column),
            options,
            nullable=bool(column.nullable),
            has_default=bool(column.default is not None or column.server_default is not None or options.filled_from),
            unique=bool(column.unique),
            maximum_length=getattr(column.type, "length", None),
            code_list=column.type.code_list if isinstance(column.type, CodeType) else None,
        )
        (hidden if options.hidden else fields)[column.key] = described
        if options.target:
            if not column.key.endswith("_id"):
                raise TypeError(f"{code}.{column.key}: a reference's column is called <relation>_id")
            name = column.key.removesuffix("_id")
            if not options.hidden:
                relations[name] = Relation(name, column.key, options.target, options.label, bool(column.nullable))
    entity = EntityType(code, model, model.__entity__, fields, relations, hidden)
    _check(entity)
    return entity


def _check(entity: EntityType) -> None:
    """A declaration names only what it has."""
    options = entity.options
    named: list[str] = [options.title, *(name.lstrip("-") for name in [options.order_by] if name)]
    named += [
        name
        for name in (options.dated_by, options.inherited_since, options.state, *(options.valid_between or ()))
        if name
    ]
    named += [name for fields in options.alike for name in fields]
    for name in named:
        if name not in entity.fields:
            raise TypeError(f"{entity.code}: the declaration names the field “{name}”, which it does not have")
    for name in (options.owner, options.person, options.scope, options.shown_below, *options.parties):
        if name not in (None, "self") and name not in entity.relations and f"{name}_id" not in entity.hidden_fields:
            raise TypeError(f"{entity.code}: the declaration names the relation “{name}”, which it does not have")


class Registry:
    """The entities of this process, by code, in the order of registration."""

    def __init__(self) -> None:
        self._entities: dict[str, EntityType] = {}
        self._by_model: dict[type, EntityType] = {}
        self._lock = threading.Lock()
        self.version = 0

    def register(self, model: type[EntityModel]) -> type[EntityModel]:
        """Class decorator: add an entity. Registering a code again replaces it."""
        described = describe(model)
        # Where a table is made from its declaration; one that migrations made is looked after by app.database.
        model.__table__.dialect_options["sqlite"]["autoincrement"] = True
        with self._lock:
            self._entities = {**self._entities, described.code: described}
            self._by_model = {**self._by_model, model: described}
            self.version += 1
        return model

    def withdraw(self, code: str) -> None:
        """Take an entity out, for one that administrators declared and removed."""
        with self._lock:
            entities = dict(self._entities)
            gone = entities.pop(code)
            self._entities = entities
            self._by_model = {model: known for model, known in self._by_model.items() if model is not gone.model}
            self.version += 1

    def __iter__(self) -> Iterator[EntityType]:
        return iter(self._entities.values())

    def __contains__(self, code: str) -> bool:
        return code in self._entities

    def __getitem__(self, code: str) -> EntityType:
        return self._entities[code]

    def get(self, code: str) -> EntityType | None:
        return self._entities.get(code)

    def of(self, model: type) -> EntityType | None:
        """The entity of a mapped class; None for a table that is no entity."""
        return self._by_model.get(model)


registry = Registry()
