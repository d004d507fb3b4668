"""The history of a record: its versions with the differences in words, who and when; and back to any of them.

Whoever may open the record sees its history, and of it what the record's page shows: personal values masked, rows
elsewhere by the names that the reader may know. To revert is to edit, checked and recorded like any other change.
"""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, url_for
from flask_appbuilder import expose
from flask_login import current_user
from sqlalchemy import select

from app.entity.labels import UserError
from app.entity.registry import Entity, EntityType, registry
from app.history.models import Operation
from app.history.reading import values_at, versions
from app.history.recording import OPERATION

from ..display import name_of, show_url
from ..memory import seen
from ..permissions import may
from ..presentation import t, text
from ..saving import NotSaved, save
from ..versions import DOORS, OPERATIONS, in_plain_words
from .context import Page

MOST_VERSIONS = 200


class HistoryPage(Page):
    """One record's versions."""

    route_base = "/history"
    class_permission_name = "History"
    base_permissions = ["can_show"]
    method_permission_name = {"show": "show", "revert": "show"}

    @expose("/<entity>/<int:key>", methods=["GET"])
    def show(self, entity: str, key: int) -> str:
        described, row = self._record(entity, key)
        kept = versions(self.session, described, key, most=MOST_VERSIONS)
        can_revert = may("edit", described)
        self.update_redirect()
        return self.render_template(
            "beacon/history.html",
            title=t(f"{name_of(row)} 的变更历史", f"History of {name_of(row)}"),
            record_name=name_of(row),
            record_url=show_url(entity, key),
            measure=text(described.label),
            versions=[
                {
                    "revision": version.revision,
                    "operation": OPERATIONS[version.operation],
                    "happened_at": version.happened_at,
                    "who": version.actor_name,
                    "door": DOORS[version.door],
                    "differences": differences,
                    "revert_url": url_for("HistoryPage.revert", entity=entity, key=key, revision=version.revision)
                    if can_revert and version.revision < row.revision and version.operation is not Operation.DELETED
                    else None,
                }
                for version, differences in zip(kept, in_plain_words(described, kept), strict=True)
            ],
            is_complete=bool(kept) and kept[-1].operation is Operation.ADDED,
        )

    @expose("/<entity>/<int:key>/revert/<int:revision>", methods=["POST"])
    def revert(self, entity: str, key: int, revision: int) -> Any:
        """Give the record the values of an earlier version."""
        described, row = self._record(entity, key)
        if not may("edit", described):
            abort(403)
        kept = versions(self.session, described, key)
        if revision not in {version.revision for version in kept}:
            abort(404)
        present = {name: getattr(row, name) for name, field in described.fields.items() if field.options.editable}
        wanted = values_at(present, kept, revision)
        changed = [name for name, value in present.items() if wanted[name] != value]
        try:
            self.session.info[OPERATION] = Operation.REVERTED
            for name in changed:
                setattr(row, name, wanted[name])
            save(self.session, described, row)
        except (NotSaved, UserError) as error:
            flash(t(f"没有退回：{text(error.label)}", f"Not reverted: {text(error.label)}"), "danger")
        else:
            flash(t(f"已退回到第 {revision} 版", f"Reverted to version {revision}"), "success")
        finally:
            self.session.info.pop(OPERATION, None)
        return redirect(url_for("HistoryPage.show", entity=entity, key=key))

    def _record(self, code: str, key: int) -> tuple[EntityType, Entity]:
        """The record, if the reader may open it. 404 for all others, 403 without the permission."""
        declared = registry.get(code)
        if declared is None:
            abort(404)
        entity = seen(declared)
        if not may("show", entity):
            abort(403 if current_user.is_authenticated else redirect(self.appbuilder.get_url_for_login))
        row = self.session.scalars(select(entity.model).where(entity.model.id == key)).one_or_none()
        if row is None:
            abort(404)
        return entity, row
