"""The versions of a rule: who made and approved them, why, what differs; and bringing one back."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.entity.labels import Label, UserError
from app.evaluation.models import RuleVersion, VersionCause
from app.rules.candidate import ADJUSTMENT
from app.rules.model import Index
from app.workshop import approvals, drafts

from ..pages.context import Page, library
from ..presentation import text
from .approvals import changed_lines

CAUSES = {
    VersionCause.FILE: Label("规则文件", "Rule file"),
    VersionCause.WORKSHOP: Label("工坊发布", "Workshop"),
    VersionCause.ROLLBACK: Label("恢复旧版", "Brought back"),
}
BROUGHT_BACK = Label("已恢复为新的版本，几秒内全部生效", "Brought back as a new version: in force within seconds")


class VersionsPage(Page):
    """历次版本."""

    route_base = "/workshop/versions"
    default_view = "show"
    class_permission_name = "Rule"
    method_permission_name = {"show": "list", "roll_back": "list"}

    @expose("/<code>")
    @has_access
    def show(self, code: str) -> str:
        rules = library().rules()
        wanted = select(RuleVersion).where(RuleVersion.rule_code == code).order_by(RuleVersion.number.desc())
        versions = list(self.session.scalars(wanted))
        rule = rules.get(code)
        if not versions and rule is None:
            raise NotFound
        if rule is None and versions[0].source_text.startswith(f"{ADJUSTMENT}:"):
            raise NotFound  # those are told on their own page, to whoever sees their organization
        kind = "warning" if rule is not None and not isinstance(rule, Index) else "index"
        decides = self.may(approvals.permission_for(kind))
        by_hash = {version.version: version for version in versions}
        chosen = next((each for each in versions if each.number == request.args.get("version", type=int)), None)
        before = by_hash.get(chosen.previous) if chosen and chosen.previous else None
        return self.render_template(
            "workshop/versions.html",
            title=Label(
                f"{rule.label.zh if rule else code}的历次版本", f"Versions of {rule.label.en if rule else code}"
            ),
            rows=[self._row(each, rule.version if rule else None, decides) for each in versions],
            chosen=chosen,
            lines=changed_lines(before.source_text if before else "", chosen.source_text) if chosen else [],
            rule_url=url_for("WorkshopPage.read", code=code) if rule else None,
        )

    @expose("/<code>/<int:number>/roll-back", methods=["POST"])
    @has_access
    def roll_back(self, code: str, number: int) -> Response:
        version = self.session.scalar(
            select(RuleVersion).where(RuleVersion.rule_code == code, RuleVersion.number == number)
        )
        user_id = self.actor.user_id
        rule = library().rules().get(code)
        if version is None or user_id is None or rule is None:
            raise NotFound
        if not self.may(approvals.permission_for("index" if isinstance(rule, Index) else "warning")):
            raise NotFound
        try:
            approvals.roll_back(
                self.session,
                self.session.get_bind(),
                version.version,
                user_id,
                request.form.get("reason", ""),
                library(),
            )
            flash(text(BROUGHT_BACK), "success")
        except UserError as error:
            self.session.rollback()
            flash(text(error.label), "danger")
        return redirect(url_for("VersionsPage.show", code=code))

    def _row(self, version: RuleVersion, in_force: str | None, decides: bool) -> dict[str, Any]:
        is_current = version.version == in_force
        return {
            "number": version.number,
            "at": version.first_used_at,
            "cause": CAUSES.get(VersionCause(version.cause), Label("", "")),
            "author": drafts.name_of(self.session, version.author_id) if version.author_id else None,
            "approver": drafts.name_of(self.session, version.approver_id) if version.approver_id else None,
            "reason": version.reason,
            "override": version.override_reason,
            "words": Label(version.words_zh or "", version.words_en or ""),
            "is_current": is_current,
            "url": url_for("VersionsPage.show", code=version.rule_code, version=version.number) + "#text",
            "roll_back_url": url_for("VersionsPage.roll_back", code=version.rule_code, number=version.number)
            if decides and not is_current
            else None,
        }
