"""Adding, changing and deleting rows through the API: one, or many in one call, all of them or none.

    POST /api/v1/<entity>/_bulk
    {"create": [{…}, …], "change": [{"id": 5, …}, {"code": "…", …}], "delete": [7, "code", …]}

Every row is read through the writer's scope, and checked like one from a form. A fault is named with its place:
``change[1].status``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import or_, select

from app.console.columns import form_columns
from app.console.permissions import may
from app.console.saving import WHOLE, NotSaved, refused
from app.entity.faults import InvalidRow
from app.entity.labels import Label, UserError
from app.entity.registry import Entity, EntityType

from .bodies import NOT_AN_OBJECT, read_body
from .reading import Reader, read_row

MOST_ROWS = 500
"""Rows that one call may create, change and delete together."""

ACTIONS = {"create": "add", "change": "edit", "delete": "delete"}
NO_ROW = Label("没有这条记录，或不在您的管理范围内", "There is no such record, or it lies outside what you look after")
NO_KEY = Label("请用 id 或 code 指明一条记录", "Name a record by id or code")
NOT_A_LIST = Label("应为一个列表", "Has to be a list")
TWICE = Label("同一条记录不能出现两次", "The same record may not be named twice")
NOTHING = Label("没有要做的事：请给出 create、change 或 delete", "Nothing to do: give create, change or delete")
TOO_MANY = Label(f"一次最多 {MOST_ROWS} 条", f"At most {MOST_ROWS} rows at a time")
NOT_ALLOWED = Label("您的角色不能进行这项操作", "Your role may not do this")
UNKNOWN_PART = Label("只能是 create、change、delete", "Has to be create, change or delete")


def new_row(entity: EntityType, body: Any) -> Entity:
    """A row from a body, not stored yet. Raises NotSaved."""
    return entity.model(**read_body(entity, body, form_columns(entity), is_new=True))


def change_row(entity: EntityType, row: Entity, body: Any) -> None:
    """Set what a body names. Raises NotSaved."""
    for name, value in read_body(entity, body, form_columns(entity), is_new=False).items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def stored(reader: Reader, entity: EntityType, key: int) -> dict[str, Any] | None:
    """The row as it now is; nothing if it has gone out of the writer's sight."""
    found = read_row(reader, entity, key, None)
    return found.item if found else None


class Bulk:
    """What one call asks for, read. Raises NotSaved with every fault of every row."""

    def __init__(self, reader: Reader, entity: EntityType, body: Any) -> None:
        self.reader, self.entity = reader, entity
        self.faults: dict[str, list[Label]] = {}
        self.places: dict[int, str] = {}
        """By the identity of the row's object: where it was asked for."""
        parts = self._parts(body)
        self._refuse(400)
        if not any(parts.values()):
            self._fault(WHOLE, NOTHING)
            self._refuse(422)
        self._permitted(parts)
        with reader.session.no_autoflush:  # nothing is written before everything has been read
            self.created = self._create(parts["create"])
            wanted = [*self._keys("change", parts["change"]), *self._keys("delete", parts["delete"])]
            found = self._find(wanted)
            self.changed = self._change(parts["change"], found)
            self.deleted = self._delete(parts["delete"], found)
        self._refuse(422)

    def apply(self) -> dict[str, Any]:
        """Write it all to the session and flush; what was done. Raises NotSaved."""
        session = self.reader.session
        session.add_all(self.created)
        try:
            session.flush()
            for row in self.deleted:
                session.delete(row)
            session.flush()
        except InvalidRow as error:
            raise self._placed(error) from error
        return {
            "created": [self._named(row) for row in self.created],
            "changed": [self._named(row) for row in self.changed],
            "deleted": [row.id for row in self.deleted],
        }

    # --- reading the body ---

    def _parts(self, body: Any) -> dict[str, list[Any]]:
        if not isinstance(body, dict):
            raise NotSaved({WHOLE: [NOT_AN_OBJECT]}, 400)
        for name in body:
            if name not in ACTIONS:
                self._fault(str(name)[:60], UNKNOWN_PART)
        parts = {name: body.get(name, []) for name in ACTIONS}
        for name, rows in parts.items():
            if not isinstance(rows, list):
                self._fault(name, NOT_A_LIST)
        total = sum(len(rows) for rows in parts.values() if isinstance(rows, list))
        if total > MOST_ROWS:
            self._fault(WHOLE, TOO_MANY)
        return parts

    def _permitted(self, parts: dict[str, list[Any]]) -> None:
        for name, rows in parts.items():
            if rows and not may(ACTIONS[name], self.entity):
                self._fault(name, NOT_ALLOWED)
        self._refuse(403)

    def _create(self, bodies: list[Any]) -> list[Entity]:
        rows = []
        for number, body in enumerate(bodies):
            place = f"create[{number}]"
            try:
                row = new_row(self.entity, body)
            except NotSaved as error:
                self._add(place, error)
            else:
                self.places[id(row)] = place
                rows.append(row)
        return rows

    def _keys(self, part: str, items: list[Any]) -> list[Any]:
        keys, seen = [], set()
        for number, item in enumerate(items):
            place = f"{part}[{number}]"
            key = item
            if part == "change":
                if not isinstance(item, dict):
                    self._fault(place, NOT_AN_OBJECT)
                    continue
                key = item["id"] if "id" in item else item.get("code")
            if isinstance(key, bool) or not isinstance(key, int | str) or (isinstance(key, str) and "\0" in key):
                self._fault(place, NO_KEY)
            elif key in seen:
                self._fault(place, TWICE)
            else:
                seen.add(key)
                keys.append(key)
        return keys

    def _find(self, keys: Iterable[Any]) -> dict[Any, Entity]:
        """Rows by the id or code that names them, as the writer sees them; two statements at most."""
        model: Any = self.entity.model
        ids = [key for key in keys if isinstance(key, int) and 0 < key < 2**31]
        codes = [key for key in keys if isinstance(key, str)] if "code" in self.entity.fields else []
        if not ids and not codes:
            return {}
        wanted = or_(model.id.in_(ids), *([model.code.in_(codes)] if codes else []))
        found: dict[Any, Entity] = {}
        for row in self.reader.session.scalars(select(model).where(wanted)):
            found[row.id] = row
            if "code" in self.entity.fields:
                found[row.code] = row
        return found

    def _change(self, items: list[Any], found: dict[Any, Entity]) -> list[Entity]:
        rows = []
        for number, item in enumerate(items):
            place = f"change[{number}]"
            if not isinstance(item, dict):
                continue
            key = "id" if "id" in item else "code"
            row = self._named_row(place, item.get(key), found)
            if row is None:
                continue
            body = {name: value for name, value in item.items() if name != key}
            try:
                change_row(self.entity, row, body)
            except NotSaved as error:
                self._add(place, error)
            else:
                self.places[id(row)] = place
                rows.append(row)
        return rows

    def _delete(self, keys: list[Any], found: dict[Any, Entity]) -> list[Entity]:
        rows = []
        for number, key in enumerate(keys):
            place = f"delete[{number}]"
            row = self._named_row(place, key, found)
            if row is None:
                continue
            if row in rows or id(row) in self.places:
                self._fault(place, TWICE)
                continue
            self.places[id(row)] = place
            rows.append(row)
        return rows

    def _named_row(self, place: str, key: Any, found: dict[Any, Entity]) -> Entity | None:
        if place in self.faults or isinstance(key, bool) or not isinstance(key, int | str):
            return None
        row = found.get(key)
        if row is None:
            self._fault(place, NO_ROW)
        return row

    # --- what is wrong ---

    def _fault(self, place: str, label: Label) -> None:
        self.faults.setdefault(place, []).append(label)

    def _add(self, place: str, error: NotSaved) -> None:
        for field, labels in error.faults.items():
            self.faults.setdefault(f"{place}.{field}" if field != WHOLE else place, []).extend(labels)

    def _refuse(self, status: int) -> None:
        if self.faults:
            raise NotSaved(self.faults, status)

    def _placed(self, error: InvalidRow) -> NotSaved:
        """The faults of a flush at the rows that they belong to."""
        for row, faults in error.faults.items():
            place = self.places.get(id(row), WHOLE)
            own: UserError = InvalidRow({row: faults}, error.status)
            for field, labels in refused(self.entity, own).faults.items():
                where = ".".join(part for part in (place, field) if part)
                self.faults.setdefault(where, []).extend(labels)
        return NotSaved(self.faults, error.status)

    def _named(self, row: Entity) -> dict[str, Any]:
        return {"id": row.id, "code": row.code} if "code" in self.entity.fields else {"id": row.id}
