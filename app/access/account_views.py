"""The pages and API methods of accounts: signing in, one's own password, and for IT staff accounts and roles."""

from __future__ import annotations

from typing import Any

from flask import abort, current_app, flash, g, jsonify, redirect, request, url_for
from flask_appbuilder.actions import action
from flask_appbuilder.api import expose
from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget
from flask_appbuilder.security.decorators import has_access, no_cache, permission_name
from flask_appbuilder.security.forms import DynamicForm, LoginForm_db
from flask_appbuilder.security.sqla.models import User
from flask_appbuilder.security.views import AuthDBView, RoleModelView, UserDBModelView
from flask_appbuilder.utils.base import get_safe_redirect
from flask_appbuilder.views import SimpleFormView
from flask_login import login_user
from werkzeug.security import check_password_hash
from wtforms import PasswordField
from wtforms.validators import DataRequired, EqualTo

from app.entity.labels import Label, UserError

from .account_ties import ENTITIES, TieField, search
from .audit import AuditAction, record
from .language import lazy, words
from .lock_out import forgive, locked_minutes
from .passwords import WeakPassword, set_password
from .request_filters import FiltersOfRequest
from .roles import role_label
from .web_session import account_of, present_actor

CHANGE_FIRST = Label(
    "这是初始密码或已到期的密码，请先在网页上修改。",
    "This password was handed out or is too old: change it on the web page first.",
)
CHANGED = Label("密码已修改。", "The password was changed.")


class SignInView(AuthDBView):
    """The sign-in page."""

    title = lazy("登录", "Sign in")

    @expose("/login/", methods=["GET", "POST"])
    @no_cache
    def login(self) -> Any:
        if g.user is not None and g.user.is_authenticated:
            return redirect(self._get_safe_next_url())
        form = LoginForm_db()
        security = current_app.appbuilder.sm
        if form.validate_on_submit():
            target = get_safe_redirect(request.args.get("next") or self.appbuilder.get_url_for_index)
            account = security.auth_user_db(form.username.data, form.password.data)
            if account is None:
                flash(words(g.sign_in_problem), "danger")
                return redirect(self.appbuilder.get_url_for_login_with(target))
            security.signed_in(account)
            login_user(account, remember=False)
            return redirect(target)
        return self.render_template(self.login_template, title=self.title, form=form, appbuilder=self.appbuilder)


class _NewPasswordForm(DynamicForm):
    password = PasswordField(
        lazy("新密码", "New password"), validators=[DataRequired()], widget=BS3PasswordFieldWidget()
    )
    conf_password = PasswordField(
        lazy("再输入一次", "Once more"),
        validators=[EqualTo("password", message=lazy("两次输入的密码不一致", "The passwords differ"))],
        widget=BS3PasswordFieldWidget(),
    )


class _OwnPasswordForm(DynamicForm):
    old_password = PasswordField(
        lazy("现在的密码", "Present password"), validators=[DataRequired()], widget=BS3PasswordFieldWidget()
    )
    password = PasswordField(
        lazy("新密码", "New password"), validators=[DataRequired()], widget=BS3PasswordFieldWidget()
    )
    conf_password = PasswordField(
        lazy("再输入一次", "Once more"),
        validators=[EqualTo("password", message=lazy("两次输入的密码不一致", "The passwords differ"))],
        widget=BS3PasswordFieldWidget(),
    )


class _PasswordFormView(SimpleFormView):
    """A form that sets a password, on the theme's page for it."""

    form_template = "appbuilder/general/security/change_password.html"

    def page(self, form: Any, *, forced: bool = False) -> Any:
        return self.render_template(
            self.form_template,
            title=self.form_title,
            form=form,
            forced=forced,
            rules=current_app.appbuilder.sm.policy.password_rules,
            appbuilder=self.appbuilder,
        )


class ChangePasswordView(_PasswordFormView):
    """One's own password; the only page there is for whoever has to change it first."""

    route_base = "/resetmypassword"
    class_permission_name = "OwnPassword"
    form = _OwnPasswordForm
    form_title = lazy("修改密码", "Change the password")

    @expose("/form", methods=["GET"])
    @has_access
    @no_cache
    def this_form_get(self) -> Any:
        return self.page(self.form.refresh(), forced=current_app.appbuilder.sm.must_change_password())

    @expose("/form", methods=["POST"])
    @has_access
    def this_form_post(self) -> Any:
        security = current_app.appbuilder.sm
        forced = security.must_change_password()
        form = self.form.refresh()
        if not form.validate_on_submit():
            return self.page(form, forced=forced)
        account = account_of(g.user)
        if not check_password_hash(account.password or "", form.old_password.data):
            form.old_password.errors = [words(Label("现在的密码不正确", "This is not the present password"))]
            return self.page(form, forced=forced)
        try:
            security.reset_password(account.id, form.password.data, must_change=False)
        except WeakPassword as problem:
            form.password.errors = [words(problem.label)]
            return self.page(form, forced=forced)
        security.signed_in(account)
        login_user(account, remember=False)
        flash(words(CHANGED), "success")
        return redirect(self.appbuilder.get_url_for_index)


class PasswordResetView(_PasswordFormView):
    """Another's password, set by IT staff and handed over: it has to be changed at the next sign-in."""

    route_base = "/resetpassword"
    class_permission_name = "ResetPassword"
    form = _NewPasswordForm
    form_title = lazy("重置密码", "Reset the password")

    @expose("/form", methods=["GET"])
    @has_access
    @no_cache
    def this_form_get(self) -> Any:
        self._account()
        return self.page(self.form.refresh())

    @expose("/form", methods=["POST"])
    @has_access
    def this_form_post(self) -> Any:
        account = self._account()
        form = self.form.refresh()
        if not form.validate_on_submit():
            return self.page(form)
        try:
            current_app.appbuilder.sm.reset_password(account.id, form.password.data)
        except WeakPassword as problem:
            form.password.errors = [words(problem.label)]
            return self.page(form)
        done = Label(
            "{name} 的密码已重置，下次登录时须修改。",
            "The password of {name} was reset; it has to be changed at the next sign-in.",
        )
        flash(words(done.format(name=account.username)), "success")
        return redirect(url_for(f"{current_app.appbuilder.sm.user_view.endpoint}.list"))

    def _account(self) -> User:
        """The account asked for. One's own password is changed on one's own page, which asks for the present one; that
        of an administrator by administrators alone."""
        pk = request.args.get("pk", "")
        account = self.appbuilder.session.get(User, int(pk)) if pk.isascii() and pk.isdigit() else None
        if account is None:
            abort(404)
        if account.id == present_actor().user_id:
            abort(403)
        current_app.appbuilder.sm.check_may_manage(account)
        return account


_TIE_LABELS = {
    "organization_id": lazy("所属党组织", "Organization"),
    "member_id": lazy("党员本人", "Member"),
}
_TIE_HELP = {
    "organization_id": lazy(
        "输入名称或代码查找；账号管理该党组织及其下级",
        "Type its name or code; the account looks after it and those below",
    ),
    "member_id": lazy(
        "党员本人的账号才选；输入完整姓名或编号查找", "For a member's own account; type the whole name or the code"
    ),
}
_TIES = {
    f"{entity}_id": TieField(_TIE_LABELS[f"{entity}_id"], description=_TIE_HELP[f"{entity}_id"], entity=entity)
    for entity in ENTITIES
}


class AccountView(UserDBModelView):
    """Accounts: made, changed and switched off by IT staff. None is deleted, because records keep their names."""

    route_base = "/users"
    _filters = FiltersOfRequest()
    class_permission_name = "Account"
    base_permissions = ["can_list", "can_show", "can_add", "can_edit", "can_userinfo", "resetpasswords", "unlock"]
    list_title = lazy("账号", "Accounts")
    show_title = lazy("账号", "Account")
    add_title = lazy("新增账号", "Add an account")
    edit_title = lazy("修改账号", "Edit an account")
    user_info_title = lazy("我的账号", "Your account")

    label_columns = {
        "username": lazy("用户名", "User name"),
        "first_name": lazy("姓名", "Name"),
        "active": lazy("启用", "Active"),
        "roles": lazy("角色", "Roles"),
        "last_login": lazy("最近登录", "Last sign-in"),
        "login_count": lazy("登录次数", "Sign-ins"),
        "fail_login_count": lazy("连续失败次数", "Failures"),
        "created_on": lazy("创建时间", "Created on"),
        "password": lazy("初始密码", "First password"),
        "conf_password": lazy("再输入一次", "Once more"),
        **_TIE_LABELS,
    }
    description_columns = _TIE_HELP
    list_columns = ["username", "first_name", "roles", "active", "last_login"]
    search_columns = ["username", "first_name", "active", "last_login"]
    order_columns = ["username", "first_name", "active", "last_login"]
    base_order = ("username", "asc")
    show_columns = ["username", "first_name", "roles", "active", "last_login", "login_count", "fail_login_count"]
    show_fieldsets = user_show_fieldsets = [(lazy("账号", "Account"), {"fields": show_columns, "expanded": True})]
    add_columns = ["username", "first_name", "roles", "active", "organization_id", "member_id", "password"]
    add_columns = [*add_columns, "conf_password"]
    edit_columns = ["first_name", "roles", "active", "organization_id", "member_id"]
    validators_columns: dict[str, Any] = {}
    formatters_columns = {"roles": lambda roles: "、".join(words(role_label(role.name)) for role in roles)}
    add_form_extra_fields = {
        **_TIES,
        "password": PasswordField(
            label_columns["password"], validators=[DataRequired()], widget=BS3PasswordFieldWidget()
        ),
        "conf_password": PasswordField(
            label_columns["conf_password"],
            validators=[EqualTo("password", message=lazy("两次输入的密码不一致", "The passwords differ"))],
            widget=BS3PasswordFieldWidget(),
        ),
    }
    edit_form_extra_fields = _TIES

    def pre_add(self, item: User) -> None:
        password, item.password = item.password, None
        item.last_name, item.email = "", f"{item.username}@accounts.invalid"
        try:
            set_password(self.appbuilder.session(), item, password, current_app.appbuilder.sm.policy, must_change=True)
        except WeakPassword as problem:
            raise _Said(problem) from problem
        self.appbuilder.session.add(item)
        self._flush()

    def pre_update(self, item: User) -> None:
        current_app.appbuilder.sm.check_may_manage(item)
        self._flush()

    def _flush(self) -> None:
        try:
            self.appbuilder.session.flush()
        except UserError as problem:
            self.appbuilder.session.rollback()
            raise _Said(problem) from problem

    @expose("/ties/<entity>")
    @has_access
    @permission_name("add")
    def ties(self, entity: str) -> Any:
        """Organizations or members for the form of an account, at most 20 for what has been typed (``q``)."""
        if entity not in ENTITIES:
            abort(404)
        answer = jsonify(search(entity, request.args.get("q", "")))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @expose("/userinfo/")
    @has_access
    def userinfo(self) -> Any:
        actions = {"resetmypassword": self.actions.get("resetmypassword")}
        item = self.datamodel.get(g.user.id, self._base_filters)
        widgets = self._get_show_widget(g.user.id, item, actions=actions, show_fieldsets=self.user_show_fieldsets)
        self.update_redirect()
        return self.render_template(
            self.show_template, title=self.user_info_title, widgets=widgets, appbuilder=self.appbuilder
        )

    def _get_show_widget(self, pk: Any, item: Any, widgets: Any = None, actions: Any = None, **keywords: Any) -> Any:
        """With a button that unlocks, on the page of an account whose name is locked."""
        if actions and "resetpasswords" in actions and locked_minutes(self.appbuilder.session(), item.username):
            actions = {**actions, "unlock": self.actions["unlock"]}
        return super()._get_show_widget(pk, item, widgets, actions, **keywords)

    @action("unlock", lazy("解锁", "Unlock"), "", "fa-unlock", multiple=False)
    def unlock(self, item: User) -> Any:
        work = self.appbuilder.session()
        forgive(work, item.username)
        record(work, present_actor(), AuditAction.UNLOCKED, entity="account", row_id=item.id, detail=item.username)
        work.commit()
        flash(words(Label("{name} 已解锁。", "{name} is unlocked.").format(name=item.username)), "success")
        return redirect(self.get_redirect())


class RoleView(RoleModelView):
    """What each role may do. Roles are declared in ``roles.py``, so this page shows them and changes nothing."""

    class_permission_name = "Role"
    _filters = FiltersOfRequest()
    base_permissions = ["can_list", "can_show"]
    list_title = lazy("角色", "Roles")
    show_title = lazy("角色", "Role")
    label_columns = {"name": lazy("角色", "Role"), "permissions": lazy("权限", "Permissions")}
    formatters_columns = {"name": lambda name: words(role_label(name))}
    search_columns: list[str] = []  # the few there are stand on one page, and are called otherwise than they are kept


class _Said(Exception):
    """A refusal in the reader's language, for FAB to show above its form."""

    def __init__(self, problem: UserError) -> None:
        super().__init__(words(problem.label))
