"""The trash: what was deleted, to be brought back or, with a permission of its own, removed for good."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.access.errors import Refused
from app.access.permissions import PURGE
from app.access.predicates import Bounds, Purpose, predicate
from app.access.scoped import scoped_table
from app.entity.labels import UserError
from app.entity.registry import EntityType, registry
from app.history import trash
from app.history.trash_model import Trashed

from ..display import show_url, title_in_words
from ..integrity import explain
from ..permissions import may
from ..presentation import t, text
from .context import Page

PAGE_SIZE = 50


class TrashPage(Page):
    """Everything deleted of the entities whose rows the reader may delete, in the reader's scope."""

    route_base = "/trash"
    default_view = "list"
    class_permission_name = "Trash"
    method_permission_name = {"list": "list", "restore": "list", "purge": "purge"}

    @expose("/", methods=["GET"])
    @has_access
    def list(self) -> str:
        entities = self._entities()
        chosen = request.args.get("entity", "")
        codes = [chosen] if chosen in entities else list(entities)
        page = max(request.args.get("page", 0, type=int), 0)
        conditions = (Trashed.entity.in_(codes), self._own())
        count = self.session.scalar(select(func.count(Trashed.id)).where(*conditions)) or 0
        statement = select(Trashed).where(*conditions).order_by(Trashed.id.desc())
        rows = self.session.scalars(statement.offset(min(page, 10_000) * PAGE_SIZE).limit(PAGE_SIZE)).all()
        values = trash.kept_values(self.session, rows)
        self.update_redirect()
        return self.render_template(
            "beacon/trash.html",
            title=t("回收站", "Trash"),
            count=count,
            entities=[(code, text(entity.label)) for code, entity in entities.items()],
            chosen=chosen if chosen in entities else "",
            rows=[
                {
                    "id": row.id,
                    "name": title_in_words(
                        entities[row.entity],
                        values[row.id].get(entities[row.entity].options.title),
                        values[row.id].get("code", row.row_id),
                    ),
                    "code": values[row.id].get("code", ""),
                    "entity": entities[row.entity].label,
                    "deleted_at": row.deleted_at,
                    "who": row.actor_name,
                }
                for row in rows
            ],
            may_purge=self.may(PURGE),
            newer_url=url_for("TrashPage.list", entity=chosen, page=page - 1) if page else None,
            older_url=url_for("TrashPage.list", entity=chosen, page=page + 1)
            if count > (page + 1) * PAGE_SIZE
            else None,
        )

    @expose("/<int:key>/restore", methods=["POST"])
    @has_access
    def restore(self, key: int) -> Any:
        trashed = self._trashed(key)
        entity = registry[trashed.entity]
        try:
            row = trash.restore(self.session, trashed)
            self.session.commit()
        except Refused:
            self.session.rollback()
            raise
        except UserError as error:
            self.session.rollback()
            flash(t(f"没有恢复：{text(error.label)}", f"Not restored: {text(error.label)}"), "danger")
        except IntegrityError as error:
            self.session.rollback()
            said = next(iter(explain(entity, error).values()))[0]
            flash(t(f"没有恢复：{text(said)}", f"Not restored: {text(said)}"), "danger")
        else:
            flash(t("已恢复", "Restored"), "success")
            return redirect(show_url(entity.code, row.id) or url_for("TrashPage.list"))
        return redirect(url_for("TrashPage.list"))

    @expose("/<int:key>/purge", methods=["POST"])
    @has_access
    def purge(self, key: int) -> Any:
        trash.purge(self.session, self._trashed(key))
        self.session.commit()
        flash(t("已彻底删除", "Removed for good"), "success")
        return redirect(url_for("TrashPage.list"))

    def _entities(self) -> dict[str, EntityType]:
        return {entity.code: entity for entity in registry if may("delete", entity)}

    def _own(self) -> Any:
        """Rows that the reader could have deleted: those that they may write, not only see."""
        if self.actor.unrestricted:
            return Trashed.id.is_not(None)
        condition = predicate(scoped_table(Trashed), Bounds.of(self.actor), Purpose.WRITE)
        return condition if condition is not None else Trashed.id.is_not(None)

    def _trashed(self, key: int) -> Trashed:
        row = self.session.scalars(select(Trashed).where(Trashed.id == key, self._own())).one_or_none()
        if row is None or row.entity not in self._entities():
            abort(404)
        return row
