"""The filled form of a performance target, as a workbook, in its reader's scope."""

from __future__ import annotations

import io
import re
from typing import Any

from flask import abort, current_app, send_file
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select

from app.access.permissions import PERFORMANCE_FORM
from app.domains.performance.form_workbook import TITLE, FormRows, filled_form, in_order
from app.domains.performance.models import (
    PerformanceCost,
    PerformanceFunding,
    PerformanceGoal,
    PerformanceSafeguard,
    PerformanceTarget,
)
from app.entity.labels import Label

from ..display import name_of
from ..record_links import record_link
from ..relations import find
from ..values import identifier

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class PerformanceFormPage(BaseView):
    route_base = "/performance-form"
    class_permission_name = PERFORMANCE_FORM.page
    base_permissions = [PERFORMANCE_FORM.action]

    @expose("/<pk>.xlsx", methods=["GET"])
    @has_access
    def download(self, pk: str) -> Any:
        session, key = current_app.appbuilder.session, identifier(pk)
        target = session.scalar(select(PerformanceTarget).where(PerformanceTarget.id == key)) if key else None
        if target is None:
            abort(404)

        def lines(model: Any) -> list[Any]:
            return list(session.scalars(select(model).where(model.target_id == target.id).order_by(model.id)))

        owner = find("organization", [target.organization_id]).get(target.organization_id)
        content = filled_form(
            FormRows(
                target,
                owner.name if owner else "",
                funding=lines(PerformanceFunding),
                goals=lines(PerformanceGoal),
                costs=in_order(lines(PerformanceCost)),
                safeguards=lines(PerformanceSafeguard),
            )
        )
        name = re.sub(r'[\\/:*?"<>|\s]+', "_", name_of(target))
        answer = send_file(
            io.BytesIO(content), mimetype=WORKBOOK, as_attachment=True, download_name=f"{TITLE}_{name}.xlsx"
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer


record_link(
    "performance_target",
    Label("导出申报表", "Export the form"),
    "PerformanceFormPage.download",
    PERFORMANCE_FORM,
)
