"""The query string of a list, read and checked against what the reader sees. Nothing unknown is passed over in silence.

fields=code,name,organization.name       filter[status]=held        filter[attended][gte]=3
filter[or][0][status]=held               sort=-score,name           search=…
page=1 page_size=25                      cursor=…                   count=exact|none
group_by=status,organization.tier        sum=score avg=score min=score max=score
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from app.console.columns import default_order
from app.console.filters import searched_fields
from app.entity.filters import Filter, FilterError, UnknownColumn, parse_filter
from app.entity.filters.columns import DAYS, NUMBERS, Column
from app.entity.filters.tree import All, AnyOf, NoneOf
from app.entity.labels import Label, UserError
from app.entity.registry import EntityType, FieldKind

from .names import ID, Entities, is_sortable, may_filter, resolve

PAGE_SIZE, LARGEST_PAGE_SIZE = 25, 100
LARGEST_PAGE = 10_000
MOST_FIELDS = 200
MOST_SORTS = 5
MOST_GROUPS = 3
MOST_TESTS = 500
MOST_LISTED = 200
"""Values of one ``in`` or ``not_in``."""
LONGEST_SEARCH = 100
LONGEST_CURSOR = 4_000
ANCHORS = ("as_of", "year_start", "year_end")
AGGREGATES = ("sum", "avg", "min", "max")

LANGUAGE = "_l_"
LANGUAGES = ("zh", "en")
ROW_PARAMETERS = ("fields", LANGUAGE, "q")
LIST_PARAMETERS = (
    "fields", "filter", "sort", "search", "page", "page_size", "cursor", "count", "group_by", *AGGREGATES,
    LANGUAGE, "q",
)  # fmt: skip

_FILTER = re.compile(r"filter((?:\[[^\[\]]*\])+)")
_STEP = re.compile(r"\[([^\[\]]*)\]")


class BadParameters(UserError):
    """Parameters that cannot be used. ``faults``: by parameter, what is wrong and what would do."""

    def __init__(
        self, faults: dict[str, list[Label]], allowed: dict[str, tuple[str, ...]] | None = None, status: int = 400
    ) -> None:
        first = next(iter(faults.values()))[0]
        super().__init__(first.zh, first.en)
        self.faults, self.allowed, self.status = faults, allowed or {}, status
        """``status``: 400 for what is wrong by itself, 422 for what is right by itself but not here."""


@dataclass(frozen=True)
class SortKey:
    path: str
    descending: bool

    @property
    def written(self) -> str:
        return f"-{self.path}" if self.descending else self.path


@dataclass(frozen=True)
class ListRequest:
    """What is asked of a list."""

    fields: tuple[str, ...] | None = None
    """None for all of them."""
    filter: Filter | None = None
    filter_text: str = ""
    """The filter and the search as they were written: what a cursor belongs to."""
    sort: tuple[SortKey, ...] = ()
    search: str = ""
    page: int = 1
    page_size: int = PAGE_SIZE
    cursor: str = ""
    count: bool = True
    group_by: tuple[str, ...] = ()
    aggregates: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_list(args: MultiDict[str, str], entity: EntityType, entities: Entities) -> ListRequest:
    """The parameters of a list. Raises BadParameters with every fault."""
    return _Reading(args, entity, entities).list()


def read_fields(args: MultiDict[str, str], entity: EntityType, entities: Entities) -> tuple[str, ...] | None:
    """The parameters of one row: ``fields``. Raises BadParameters."""
    return _Reading(args, entity, entities).row()


def read_no_parameters(args: MultiDict[str, str], *others: str) -> None:
    """The parameters of a write: none but the language. Raises BadParameters."""
    reading = _Reading(args)
    reading.known((*others, LANGUAGE))
    reading.refuse()


class _Reading:
    def __init__(self, args: MultiDict[str, str], entity: Any = None, entities: Any = None) -> None:
        self.args, self.entity, self.entities = args, entity, entities
        self.faults: dict[str, list[Label]] = {}
        self.contradictions: dict[str, list[Label]] = {}
        self.allowed: dict[str, tuple[str, ...]] = {}

    def row(self) -> tuple[str, ...] | None:
        self.known(ROW_PARAMETERS)
        fields = self.fields()
        self.refuse()
        return fields

    def list(self) -> ListRequest:
        self.known(LIST_PARAMETERS)
        filter_, filter_text = self.filter()
        group_by = self.group_by()
        aggregates = {name: self.aggregate(name) for name in AGGREGATES if name in self.args}
        if aggregates and not group_by:
            for name in aggregates:
                self.contradict(name, Label("须与 group_by 一起使用", "Goes together with group_by"))
        if group_by:
            for name in ("fields", "cursor", "count"):
                if name in self.args:
                    self.contradict(name, Label("不能与 group_by 一起使用", "Does not go together with group_by"))
        elif "cursor" in self.args and "page" in self.args:
            self.contradict("page", Label("不能与 cursor 一起使用", "Does not go together with cursor"))
        search = self.search()
        if "cursor" in self.args and not self.args["cursor"]:
            self.fault("cursor", Label("不能为空；第一页不需要 cursor", "Is empty; the first page needs no cursor"))
        made = ListRequest(
            fields=None if group_by else self.fields(),
            filter=filter_,
            filter_text=f"{filter_text}&{search}",
            sort=self.group_sort(group_by, aggregates) if group_by else self.sort(),
            search=search,
            page=self.number("page", 1, LARGEST_PAGE),
            page_size=min(self.number("page_size", PAGE_SIZE, None), LARGEST_PAGE_SIZE),
            cursor=self.args.get("cursor", ""),
            count=self.count(),
            group_by=group_by,
            aggregates=aggregates,
        )
        self.refuse()
        return made

    # --- what is wrong ---

    def fault(self, name: str, label: Label, allowed: tuple[str, ...] = ()) -> None:
        self.faults.setdefault(name, []).append(label)
        if allowed:
            self.allowed[name] = allowed

    def contradict(self, name: str, label: Label, allowed: tuple[str, ...] = ()) -> None:
        self.contradictions.setdefault(name, []).append(label)
        if allowed:
            self.allowed[name] = allowed

    def refuse(self) -> None:
        if self.faults:
            raise BadParameters(self.faults, self.allowed)
        if self.contradictions:
            raise BadParameters(self.contradictions, self.allowed, 422)

    def known(self, allowed: tuple[str, ...]) -> None:
        """Nothing but these parameters, each once, and nothing that no database can store."""
        listed = ", ".join("filter[field][operator]" if name == "filter" else name for name in allowed)
        for name, values in self.args.lists():
            plain = "filter" if "filter" in allowed and _FILTER.fullmatch(name) else name
            if plain not in allowed or name == "filter":
                self.fault(
                    name[:60],
                    Label(f"没有这个参数；可用：{listed}", f"There is no such parameter; allowed: {listed}"),
                    allowed,
                )
            elif len(values) > 1:
                self.fault(name[:60], Label("只能给出一次", "May be given once"))
            elif name == LANGUAGE and values[0] not in LANGUAGES:
                self.fault(name, Label("应为 zh 或 en", "Has to be zh or en"), LANGUAGES)
            elif "\0" in values[0] or "\0" in name:
                self.fault(name[:60], Label("含有不可用的字符", "Contains a character that cannot be used"))

    # --- single parameters ---

    def number(self, name: str, default: int, most: int | None) -> int:
        text = self.args.get(name)
        if text is None:
            return default
        if not re.fullmatch(r"[0-9]{1,1000}", text) or int(text) < 1 or (most is not None and int(text) > most):
            bounded = Label(f"应为 1 到 {most} 的整数", f"Has to be a whole number from 1 to {most}")
            self.fault(name, bounded if most else Label("应为大于 0 的整数", "Has to be a whole number above 0"))
            return default
        return int(text)

    def count(self) -> bool:
        text = self.args.get("count", "none" if self.args.get("cursor") else "exact")
        if text not in ("exact", "none"):
            self.fault("count", Label("应为 exact 或 none", "Has to be exact or none"), ("exact", "none"))
        return text == "exact"

    def search(self) -> str:
        text = self.args.get("search", "").strip()
        if text and not searched_fields(self.entity):
            self.fault("search", Label("这类记录没有可以查找的文字", "These records have no texts to search"))
        if len(text) > LONGEST_SEARCH:
            self.fault("search", Label(f"最多 {LONGEST_SEARCH} 个字", f"At most {LONGEST_SEARCH} characters"))
        return text

    def names(self, name: str, most: int) -> list[str]:
        """A list of names, separated by commas."""
        text = self.args.get(name, "")
        found = list(dict.fromkeys(part.strip() for part in text.split(",")))
        if name in self.args and (not all(found) or len(found) > most):
            self.fault(
                name, Label(f"请写 1 到 {most} 个名称，用逗号分开", f"Write 1 to {most} names, separated by commas")
            )
            return []
        return [each for each in found if each]

    def resolved(self, parameter: str, path: str) -> Column | None:
        try:
            return resolve(self.entity, path, self.entities)
        except UnknownColumn as error:
            self.fault(parameter, error.label, error.allowed)
            return None

    def fields(self) -> tuple[str, ...] | None:
        if "fields" not in self.args:
            return None
        names = self.names("fields", MOST_FIELDS)
        for name in names:
            self.resolved("fields", name)
        return tuple(names)

    def sort(self) -> tuple[SortKey, ...]:
        if "sort" not in self.args:
            column, direction = default_order(self.entity)
            return (SortKey(column, direction == "desc"),)
        keys = []
        for name in self.names("sort", MOST_SORTS):
            path = name.removeprefix("-")
            column = self.resolved("sort", path)
            if column is not None and self.orders(column):
                keys.append(SortKey(path, name.startswith("-")))
            elif column is not None:
                self.fault("sort", Label(f"不能按“{path}”排序", f"“{path}” cannot be sorted by"))
        return tuple(keys)

    def orders(self, column: Column) -> bool:
        if column.name == ID:
            return True
        if column.relation is not None:
            target = self.entities[column.relation.target]
            return is_sortable(target.fields[target.options.title])
        assert column.entity is not None
        return is_sortable(column.entity.fields[column.name])

    # --- groups ---

    def group_by(self) -> tuple[str, ...]:
        names = self.names("group_by", MOST_GROUPS)
        for name in names:
            column = self.resolved("group_by", name)
            if column is not None and (column.name == ID or not self.orders(column)):
                self.fault("group_by", Label(f"不能按“{name}”分组", f"“{name}” cannot be grouped by"))
        return tuple(names)

    def aggregate(self, function: str) -> tuple[str, ...]:
        kinds = NUMBERS if function in ("sum", "avg") else NUMBERS | DAYS - {FieldKind.PERIOD}
        names = self.names(function, MOST_FIELDS)
        for name in names:
            column = self.resolved(function, name)
            if column is None:
                continue
            described = column.entity.fields.get(column.name) if column.entity else None
            if described is None or column.hops or column.kind not in kinds or described.options.personal:
                suits = tuple(
                    each for each, known in self.entity.fields.items() if known.kind in kinds and is_sortable(known)
                )
                listed = ", ".join(suits)
                self.fault(
                    function,
                    Label(
                        f"不能对“{name}”求 {function}；可用：{listed}", f"No {function} of “{name}”; allowed: {listed}"
                    ),
                    suits,
                )
        return tuple(names)

    def group_sort(self, group_by: tuple[str, ...], aggregates: dict[str, tuple[str, ...]]) -> tuple[SortKey, ...]:
        """Groups go by what they are grouped by, or by ``count`` or an aggregate such as ``sum.score``."""
        allowed = (
            *group_by,
            "count",
            *(f"{function}.{name}" for function in aggregates for name in aggregates[function]),
        )
        keys = []
        for name in self.names("sort", MOST_SORTS):
            path = name.removeprefix("-")
            if path in allowed:
                keys.append(SortKey(path, name.startswith("-")))
            else:
                listed = ", ".join(allowed)
                self.contradict(
                    "sort",
                    Label(f"分组不能按“{path}”排序；可用：{listed}", f"Groups have no “{path}”; allowed: {listed}"),
                    allowed,
                )
        return tuple(keys)

    # --- the filter ---

    def filter(self) -> tuple[Filter | None, str]:
        given = sorted((name, value) for name, value in self.args.items() if _FILTER.fullmatch(name))
        if not given:
            return None, ""
        tree: dict[str, Any] = {}
        for name, value in given:
            steps = _STEP.findall(name)
            if not self._place(tree, steps, value):
                self.fault(name[:60], Label("与另一个条件冲突", "Contradicts another condition"))
                return None, ""
        try:
            found = parse_filter(
                _lists(tree),
                self.entity,
                entities=self.entities,  # type: ignore[arg-type]
                allowed=may_filter,
                anchors=ANCHORS,
                from_text=True,
            )
        except FilterError as error:
            name = "filter" + "".join(f"[{step}]" for step in error.path)
            self.fault(name[:200], error.problem, error.allowed)
            return None, ""
        if _longest(found) > MOST_LISTED:
            most = Label(f"一个条件最多列出 {MOST_LISTED} 个值", f"A condition lists at most {MOST_LISTED} values")
            self.fault("filter", most)
        if _tests(found) > MOST_TESTS:
            self.contradict("filter", Label(f"最多 {MOST_TESTS} 个条件", f"At most {MOST_TESTS} conditions"))
        return found, "&".join(f"{name}={value}" for name, value in given)

    @staticmethod
    def _place(tree: dict[str, Any], steps: list[str], value: str) -> bool:
        here = tree
        for step in steps[:-1]:
            here = here.setdefault(step, {})
            if not isinstance(here, dict):
                return False
        if steps[-1] in here or len(steps) > 20:
            return False
        here[steps[-1]] = value
        return True


def _lists(tree: Any) -> Any:
    """``and[0]``, ``or[0]`` … as lists."""
    if not isinstance(tree, dict):
        return tree
    read = {name: _lists(value) for name, value in tree.items()}
    for name in ("and", "or"):
        branches = read.get(name)
        if isinstance(branches, dict) and all(key.isascii() and key.isdigit() for key in branches):
            read[name] = [branches[key] for key in sorted(branches, key=int)]
    return read


def _longest(filter_: Filter) -> int:
    """The most values that any of its conditions lists."""
    match filter_:
        case All(parts=parts) | AnyOf(parts=parts):
            return max(map(_longest, parts))
        case NoneOf(part=part):
            return _longest(part)
    return len(filter_.operand) if isinstance(filter_.operand, tuple) else 1


def _tests(filter_: Filter) -> int:
    match filter_:
        case All(parts=parts) | AnyOf(parts=parts):
            return sum(_tests(part) for part in parts)
        case NoneOf(part=part):
            return _tests(part)
    return len(filter_.operand) if isinstance(filter_.operand, tuple) else 1
