"""The two servers that the API's benchmark compares: Beacon, and a Flask program written by hand for just this table.

The hand-written one does what an endpoint cannot do without: read a signed token, look up the account with its role's
permission and its organization, read or write the rows by SQLAlchemy Core, answer by orjson.
"""

from __future__ import annotations

import os
from typing import Any

import jwt
import orjson
from flask import Flask, Response, request
from sqlalchemy import bindparam, column, func, insert, literal, select, table

from app import create_app
from app.database.clock import now
from app.database.engine import make_engine
from app.entity.fields import new_code
from app.garbage import keep_what_is_loaded
from config import Settings

from .api_entity import BenchRecord, BenchStatus


def ours() -> Flask:
    """Beacon itself, as ``app.command_line.web`` makes it."""
    application = create_app(Settings.from_environment())
    keep_what_is_loaded()
    return application


def _table(name: str, *columns: str) -> Any:
    return table(name, *[column(each) for each in columns])


def by_hand() -> Flask:
    """The baseline. Its tokens are Beacon's own."""
    settings = Settings.from_environment()
    engine = make_engine(settings.database_url)
    app = Flask("baseline")
    key = os.environ["SECRET_KEY"]
    record: Any = BenchRecord.__table__
    organization = _table("bc_organization", "id", "code", "name", "path")
    user = _table("ab_user", "id", "active", "username", "organization_id")
    user_role = _table("ab_user_role", "user_id", "role_id")
    pair_role = _table("ab_permission_view_role", "role_id", "permission_view_id")
    pair = _table("ab_permission_view", "id", "permission_id", "view_menu_id")
    action, page = _table("ab_permission", "id", "name"), _table("ab_view_menu", "id", "name")
    event = _table(
        "bc_audit_event",
        "happened_at", "user_id", "actor_name", "action", "entity", "row_id", "detail", "purpose", "address",
    )  # fmt: skip
    account = (
        select(user.c.id, user.c.username, organization.c.path)
        .join(user_role, user_role.c.user_id == user.c.id)
        .join(pair_role, pair_role.c.role_id == user_role.c.role_id)
        .join(pair, pair.c.id == pair_role.c.permission_view_id)
        .join(action, action.c.id == pair.c.permission_id)
        .join(page, page.c.id == pair.c.view_menu_id)
        .join(organization, organization.c.id == user.c.organization_id)
        .where(user.c.id == bindparam("user"), user.c.active, page.c.name == "BenchRecord")
        .where(action.c.name == bindparam("action"))
    )
    columns = [each for each in record.c if each.name not in ("organization_id", "revision")]
    named = [organization.c.id.label("o_id"), organization.c.code.label("o_code"), organization.c.name.label("o_name")]
    joined = select(*columns, *named).join(organization, organization.c.id == record.c.organization_id)
    below = record.c.organization_id.in_(
        select(organization.c.id).where(
            organization.c.path >= bindparam("path"), organization.c.path < bindparam("path") + literal("~")
        )
    )
    page_of = joined.order_by(record.c.score.desc(), record.c.id.desc()).limit(25)
    counted = select(func.count(record.c.id))
    statements = {
        False: (page_of, counted, joined.where(record.c.id == bindparam("id"))),
        True: (page_of.where(below), counted.where(below), joined.where(record.c.id == bindparam("id"), below)),
    }

    def who(connection: Any, wanted: str) -> Any:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, key, algorithms=["HS256"])
        return connection.execute(account, {"user": int(claims["sub"]), "action": wanted}).first()

    def shown(row: Any, reduced: bool) -> dict[str, Any]:
        item = dict(row._mapping)
        item["organization"] = {"id": item.pop("o_id"), "code": item.pop("o_code"), "name": item.pop("o_name")}
        if reduced:
            del item["budget"]
        return item

    def answer(content: Any, status: int = 200) -> Response:
        return Response(orjson.dumps(content), status=status, mimetype="application/json")

    @app.get("/api/v1/bench_record/")
    def list_records() -> Response:
        with engine.connect() as connection:
            found = who(connection, "can_list")
            if found is None:
                return answer({"message": "Forbidden"}, 403)
            scoped = found.path != "/1/"
            given = {"path": found.path} if scoped else {}
            rows = connection.execute(statements[scoped][0], given).all()
            total = connection.scalar(statements[scoped][1], given)
        return answer({"count": total, "result": [shown(row, scoped) for row in rows]})

    @app.get("/api/v1/bench_record/<int:key>")
    def get_record(key: int) -> Response:
        with engine.connect() as connection:
            found = who(connection, "can_show")
            if found is None:
                return answer({"message": "Forbidden"}, 403)
            scoped = found.path != "/1/"
            given = {"path": found.path} if scoped else {}
            row = connection.execute(statements[scoped][2], {"id": key, **given}).first()
        return answer({"id": key, "result": shown(row, scoped)}) if row else answer({"message": "Not found"}, 404)

    @app.post("/api/v1/bench_record/")
    def add_record() -> Response:
        given = orjson.loads(request.get_data())
        with engine.begin() as connection:
            found = who(connection, "can_add")
            if found is None:
                return answer({"message": "Forbidden"}, 403)
            place = connection.execute(
                select(organization.c.id).where(
                    organization.c.id == given["organization"],
                    organization.c.path >= found.path,
                    organization.c.path < found.path + "~",
                )
            ).first()
            if place is None or not given["name"] or given["status"] not in set(BenchStatus):
                return answer({"message": "Invalid"}, 422)
            values = {name: value for name, value in given.items() if name != "organization"}
            values |= {"organization_id": place.id, "code": new_code()}
            made = connection.execute(insert(record).values(values).returning(record.c.id)).scalar_one()
            connection.execute(
                insert(event).values(
                    happened_at=now(), user_id=found.id, actor_name=found.username, action="created",
                    entity="bench_record", row_id=made, detail=request.get_data(as_text=True), purpose="", address="",
                )
            )  # fmt: skip
            row = connection.execute(statements[False][2], {"id": made}).first()
        return answer({"id": made, "result": shown(row, False)}, 201)

    return app
