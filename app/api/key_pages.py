"""The page of API keys: one's own to make and revoke; everybody's to see and revoke, for IT staff."""

from __future__ import annotations

from typing import Any

from flask import abort, current_app, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from flask_appbuilder.security.sqla.models import ApiKey, Role, User
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from sqlalchemy import select

from app.access.api_keys import LONGEST_DAYS, make_key, revoke_key
from app.access.permissions import ALL_KEYS, OWN_KEYS
from app.access.references import organization_names
from app.access.roles import role_label
from app.access.scope import actor_of
from app.console.pages.context import Page
from app.console.relations import find_by_code
from app.database.clock import now
from app.entity.labels import Label, UserError

GOOD, EXPIRED, REVOKED = Label("可用", "Good"), Label("已过期", "Expired"), Label("已停用", "Revoked")
NO_ORGANIZATION = Label(
    "没有这个党组织，或不在您的管理范围内。", "There is no such organization, or it is not one of yours."
)


class ApiKeysPage(Page):
    """接口密钥."""

    route_base = "/api-keys"
    default_view = "show"
    class_permission_name = OWN_KEYS[0].page
    method_permission_name = {"show": "list", "make": "add", "revoke": "list"}

    @expose("/", methods=["GET"])
    @has_access
    def show(self) -> str:
        self.update_redirect()
        return self._page()

    @expose("/", methods=["POST"])
    @has_access
    def make(self) -> str:
        """A new key, whose text this page shows once. It is made for one's own account, with one's own rights."""
        session = self.session()
        account, actor, form = self._account(), actor_of(session), request.form
        try:
            code = form.get("organization", "").strip()
            organization = find_by_code("organization", code) if code else None
            if code and organization is None:
                raise UserError(NO_ORGANIZATION.zh, NO_ORGANIZATION.en)
            _key, text = make_key(
                session,
                actor,
                account,
                name=form.get("name", ""),
                role_id=form.get("role", 0, type=int),
                organization_id=organization,
                days=form.get("days", 0, type=int),
                secret=current_app.config["SECRET_KEY"],
                address=(request.remote_addr or "")[:45],
            )
            session.commit()
        except UserError as problem:
            session.rollback()
            return self._page(fault=problem.label)
        return self._page(made=text)

    @expose("/<int:key_id>/revoke", methods=["POST"])
    @has_access
    def revoke(self, key_id: int) -> Any:
        session = self.session()
        key = session.get(ApiKey, key_id)
        if key is None or (key.user_id != self._account().id and not self._sees_all()):
            abort(404)
        revoke_key(session, actor_of(session), key, (request.remote_addr or "")[:45])
        session.commit()
        return redirect(url_for("ApiKeysPage.show"))

    def _account(self) -> User:
        found = self.session().get(User, actor_of(self.session()).user_id)
        if found is None:
            abort(403)
        return found

    @staticmethod
    def _sees_all() -> bool:
        return current_app.appbuilder.sm.may(ALL_KEYS)

    def _page(self, made: str = "", fault: Label | None = None) -> str:
        session, account, everybody = self.session(), self._account(), self._sees_all()
        statement = select(ApiKey).order_by(ApiKey.created_on.desc(), ApiKey.id.desc()).limit(500)
        if not everybody:
            statement = statement.where(ApiKey.user_id == account.id)
        keys = session.scalars(statement).all()
        owners = dict(session.execute(select(User.id, User.username)).all()) if everybody else {}
        roles = dict(session.execute(select(Role.id, Role.name)).all())
        places = organization_names(session, [key.organization_id for key in keys])
        return self.render_template(
            "beacon/api_keys.html",
            title=Label("接口密钥", "API keys"),
            csrf=Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf()),
            keys=[self._row(key, owners, roles, places) for key in keys],
            roles=[(role.id, role_label(role.name)) for role in account.roles],
            longest=LONGEST_DAYS,
            everybody=everybody,
            made=made,
            fault=fault,
        )

    @staticmethod
    def _row(key: ApiKey, owners: dict[int, str], roles: dict[int, str], places: dict[int, Any]) -> dict[str, Any]:
        state = REVOKED if key.revoked_on else EXPIRED if key.expires_on and key.expires_on <= now() else GOOD
        place = places.get(key.organization_id)
        return {
            "id": key.id,
            "name": key.name,
            "prefix": key.key_prefix,
            "owner": owners.get(key.user_id, ""),
            "role": role_label(roles.get(key.role_id, "—")),
            "organization": place.name if place else "",
            "expires": key.expires_on,
            "used": key.last_used_on,
            "state": state,
            "open": state is GOOD,
        }
