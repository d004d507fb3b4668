"""Filters of lists: which a field has, and the set of those that one request asks for.

FAB keeps one ``Filters`` object for each view and lets every request empty and fill it, so that under threads an answer
can hold another request's rows (FAB issue 2366). ``app.access.request_filters`` gives each request a copy instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_appbuilder.models.filters import BaseFilter, BaseFilterConverter, FilterRelation, Filters
from sqlalchemy import ColumnElement, Date, Select, and_, cast, func, or_, select, true

from app.access.field_access import may_see
from app.access.request_filters import own_copy
from app.database.encryption import keyring
from app.entity.labels import Label, UserError
from app.entity.registry import EntityType, Field, FieldKind, registry

from .memory import clearance
from .presentation import lazy
from .values import LONGEST_TEXT, Unreadable, identifier, parse

ANY_TEXT = "any_text"
"""The column of the search box: no column of a table, but all that the declaration calls ``searched``."""

MOST_VALUES = 200
"""Alternatives in one condition; more would make a statement that databases refuse."""


class NotOffered(UserError):
    """A column or comparison that cannot be filtered or sorted by: because it is hidden, or because it is not there."""


class EntityFilter(BaseFilter):
    """One comparison. ``word`` is what people choose it by, ``operator`` what the API calls it."""

    # FAB's ``arg_name`` stays empty: FAB would enter it in a table shared with its own views.
    word: Label
    operator: str

    def __init__(self, column_name: str, datamodel: Any, is_related_view: bool = False) -> None:
        super().__init__(column_name, datamodel, is_related_view)
        self.name = lazy(self.word)
        self.entity: EntityType = datamodel.entity

    @property
    def field(self) -> Field:
        return self.entity.fields[self.column_name]

    @property
    def attribute(self) -> Any:
        return getattr(self.model, self.column_name)

    def read(self, raw: Any) -> Any:
        """The value to compare with. Raises Unreadable."""
        return parse(self.entity, self.field, raw)

    def condition(self, value: Any) -> ColumnElement[bool]:
        raise NotImplementedError

    def apply(self, query: Select[Any], value: Any) -> Select[Any]:
        """Several values are alternatives; what cannot be read matches nothing."""
        values = value if isinstance(value, list | tuple) else [value]
        return query.where(or_(*[self.condition(self.read(one)) for one in values[:MOST_VALUES]]))


class Equals(EntityFilter):
    word, operator = Label("等于", "equals"), "eq"

    def condition(self, value: Any) -> ColumnElement[bool]:
        return self.attribute == value


class Is(Equals):
    word = Label("是", "is")


class IsNot(EntityFilter):
    word, operator = Label("不是", "is not"), "neq"

    def condition(self, value: Any) -> ColumnElement[bool]:
        return or_(self.attribute != value, self.attribute.is_(None))

    def apply(self, query: Select[Any], value: Any) -> Select[Any]:
        values = value if isinstance(value, list | tuple) else [value]
        return query.where(and_(*[self.condition(self.read(one)) for one in values[:MOST_VALUES]]))


class Contains(EntityFilter):
    word, operator = Label("包含", "contains"), "ct"

    def read(self, raw: Any) -> str:
        return str(raw).replace("\0", "").strip()[:LONGEST_TEXT]

    def condition(self, value: str) -> ColumnElement[bool]:
        return contains(self.attribute, value)


class StartsWith(Contains):
    word, operator = Label("开头是", "begins with"), "sw"

    def condition(self, value: str) -> ColumnElement[bool]:
        return self.attribute.startswith(value, autoescape=True)


class AtLeast(EntityFilter):
    word, operator = Label("不小于", "at least"), "gte"

    def condition(self, value: Any) -> ColumnElement[bool]:
        return self.attribute >= value


class AtMost(EntityFilter):
    word, operator = Label("不大于", "at most"), "lte"

    def condition(self, value: Any) -> ColumnElement[bool]:
        return self.attribute <= value


class OnDay(Equals):
    word = Label("在", "on")


class Since(AtLeast):
    word = Label("从", "from")


class Until(AtMost):
    word = Label("到", "until")


def day_of(moment: Any, session: Any) -> ColumnElement[Any]:
    """The day of a moment, in SQL."""
    return func.date(moment) if session.get_bind().dialect.name == "sqlite" else cast(moment, Date)


class _ByDay(EntityFilter):
    """A moment compared by its day, the way people ask for it."""

    def read(self, raw: Any) -> Any:
        day = Field("", FieldKind.DATE, self.field.options, nullable=False, has_default=False, unique=False)
        found = parse(self.entity, day, raw)
        if found is None:
            raise Unreadable("应为日期，形如 2026-11-23", "Has to be a date such as 2026-11-23")
        return found

    @property
    def attribute(self) -> Any:
        return day_of(super().attribute, self.datamodel.session)


class MomentOnDay(_ByDay, OnDay):
    pass


class MomentSince(_ByDay, Since):
    pass


class MomentUntil(_ByDay, Until):
    pass


class ExactlyEncrypted(Equals):
    """An encrypted column, found by its keyed hash: the whole text or nothing."""

    def condition(self, value: str | None) -> ColumnElement[bool]:
        hashed = hash_column(self.entity, self.column_name)
        return getattr(self.model, str(hashed)) == keyring().digest(value or "")


class RefersTo(FilterRelation, EntityFilter):
    """A relation to one row, given by its id. Also what narrows a related list to its parent."""

    word, operator = Label("是", "is"), "eq"

    @property
    def attribute(self) -> Any:
        return getattr(self.model, self.entity.relations[self.column_name].column)

    def read(self, raw: Any) -> int:
        found = identifier(raw)
        if found is None:
            raise Unreadable("没有这个选项，请重新选择", "There is no such choice, choose again")
        return found

    def condition(self, value: int) -> ColumnElement[bool]:
        return self.attribute == value

    apply = EntityFilter.apply


class RefersBelow(RefersTo):
    """A relation to an organization or one of those below it."""

    word, operator = Label("是（含下级）", "is, or lies below"), "under"

    def condition(self, value: int) -> ColumnElement[bool]:
        target = registry[self.entity.relations[self.column_name].target].model
        path = select(target.path).where(target.id == value).scalar_subquery()
        return self.attribute.in_(select(target.id).where(target.path.startswith(path)))


class Searched(Contains):
    """The search box: every word is found in one of the searched fields, or is the whole of an encrypted one."""

    operator = "search"

    def condition(self, value: str) -> ColumnElement[bool]:
        return search_condition(self.entity, self.model, value)


def search_condition(entity: EntityType, model: Any, text: str) -> ColumnElement[bool]:
    """Every word of a text is found in one of the searched fields, or is the whole of an encrypted one."""
    return and_(true(), *[_holds(entity, model, word) for word in text.split()[:5]])


def _holds(entity: EntityType, model: Any, word: str) -> ColumnElement[bool]:
    found = [contains(getattr(model, name), word) for name in searched_fields(entity)]
    for name, field in entity.fields.items():
        hashed = hash_column(entity, name)
        if field.kind is FieldKind.ENCRYPTED and hashed and len(word) >= 6:
            found.append(getattr(model, hashed) == keyring().digest(word))
    return or_(*found)


SEARCHED_KINDS = (FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.PERIOD)

COMPARISONS: dict[FieldKind, tuple[type[EntityFilter], ...]] = {
    FieldKind.TEXT: (Contains, Equals, StartsWith),
    FieldKind.LONG_TEXT: (Contains,),
    FieldKind.INTEGER: (Equals, AtLeast, AtMost),
    FieldKind.DECIMAL: (Equals, AtLeast, AtMost),
    FieldKind.BOOLEAN: (Is,),
    FieldKind.DATE: (Since, Until, OnDay),
    FieldKind.MOMENT: (MomentSince, MomentUntil, MomentOnDay),
    FieldKind.PERIOD: (Is, StartsWith),
    FieldKind.CODE: (Is, IsNot),
    FieldKind.ENCRYPTED: (ExactlyEncrypted,),
}
"""The comparisons of a field of each kind, the first of them the usual one. An address names one by its place
(``_flt_0_status``), so that places stay."""


class EntityFilterConverter(BaseFilterConverter):
    """Gives FAB the comparisons of a column."""

    def convert(self, col_name: str) -> list[EntityFilter]:
        return [comparison(col_name, self.datamodel) for comparison in comparisons(self.datamodel.entity, col_name)]


def comparisons(entity: EntityType, column: str) -> tuple[type[EntityFilter], ...]:
    """The comparisons of a column: a field, a relation or the search box. None for what cannot be filtered by."""
    if column == ANY_TEXT:
        return (Searched,) if searched_fields(entity) else ()
    if column in entity.relations:
        target = registry.get(entity.relations[column].target)
        return (RefersTo, RefersBelow) if target is not None and hasattr(target.model, "path") else (RefersTo,)
    field = entity.fields.get(column)
    if field is None or field.kind is FieldKind.REFERENCE:
        return ()
    if field.kind is FieldKind.ENCRYPTED and not hash_column(entity, column):
        return ()
    # Of what is shown masked, only the whole can be asked for: parts of it could be guessed one by one.
    if field.options.personal and field.kind is not FieldKind.ENCRYPTED:
        return (Equals,)
    return COMPARISONS[field.kind]


def searched_fields(entity: EntityType) -> list[str]:
    """The text fields that the search box looks into."""
    return [
        name
        for name, field in entity.fields.items()
        if field.options.searched and not field.options.personal and field.kind in SEARCHED_KINDS
    ]


def hash_column(entity: EntityType, name: str) -> str | None:
    """The hidden column that holds the keyed hash of an encrypted one."""
    return next((key for key, field in entity.hidden_fields.items() if field.options.hash_of == name), None)


def contains(column: Any, text: str) -> ColumnElement[bool]:
    """Text within a column, upper and lower case alike on every database."""
    return func.lower(column).contains(text.lower(), autoescape=True)


class RequestFilters(Filters):
    """The filters of a view (what there is to choose from) and of one request (what was chosen).

    ``faults`` names the columns whose value could not be read, with the reason; those conditions are left out.
    """

    faults: dict[str, Label]

    def clear_filters(self) -> None:
        super().clear_filters()
        self.faults = {}

    def copy(self) -> RequestFilters:
        """One's own conditions over the same choices."""
        twin = own_copy(self)
        twin.faults = {}
        return twin

    def get_joined_filters(self, filters: Filters) -> RequestFilters:
        joined = self.copy()
        joined.filters += filters.filters
        joined.values += filters.values
        return joined

    def add_filter_index(self, column_name: str, filter_instance_index: int, value: Any) -> None:
        choices = self._search_filters.get(column_name, ())
        if filter_instance_index < len(choices):
            self._add_checked(choices[filter_instance_index], value)

    def rest_add_filters(self, data: Iterable[dict[str, Any]]) -> None:
        """The API's conditions ``{col, opr, value}``. Raises NotOffered for a column or comparison that there is not,
        Unreadable for a value that cannot be compared."""
        for condition in data:
            column, operator = condition["col"], condition["opr"]
            choices = self._search_filters.get(column)
            if choices is None:
                raise NotOffered(f"不能按“{column}”筛选", f"“{column}” cannot be filtered by")
            found = next((choice for choice in choices if choice.operator == operator), None)
            if found is None:
                raise NotOffered(f"“{column}”不能用“{operator}”比较", f"“{column}” cannot be compared by “{operator}”")
            given = _values(condition["value"])
            if len(given) > MOST_VALUES:
                raise Unreadable(f"最多给出 {MOST_VALUES} 个值", f"At most {MOST_VALUES} values")
            for one in given:
                found.read(one)
            self._add_filter(found, given)

    def _add_checked(self, choice: EntityFilter, value: Any) -> None:
        given = [one for one in _values(value) if str(one).strip()]
        field = choice.entity.fields.get(choice.column_name)
        if not given or (field is not None and not may_see(field, clearance())):
            return
        try:
            for one in given:
                choice.read(one)
        except Unreadable as error:
            self.faults[choice.column_name] = error.label
            return
        self._add_filter(choice, given)

    def apply_all(self, query: Select[Any]) -> Select[Any]:
        for chosen, value in zip(self.filters, self.values, strict=True):
            query = chosen.apply(query, value)
        return query

    def get_filters_values_tojson(self) -> list[tuple[str, str, Any]]:
        return [
            (chosen.column_name, str(chosen.name), [str(one) for one in _values(value)])
            for chosen, value in zip(self.filters, self.values, strict=True)
            if not chosen.is_related_view
        ]


def _values(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
