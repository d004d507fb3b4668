"""The machine room at ``/ops`` for IT staff: Flask-Admin's views of system tables, the rules folder and the queue.

Under one permission of its own (``app.access.permissions.OPERATIONS``). Everything can be looked at and nothing
changed; members' data is in none of it. It stands in the console's frame, with its menu and language.
"""

from __future__ import annotations

import warnings
from datetime import date
from typing import Any

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_admin import Admin, AdminIndexView, BaseView, expose
from flask_admin.contrib.fileadmin import FileAdmin
from flask_admin.contrib.sqla import ModelView
from flask_admin.theme import Bootstrap4Theme
from flask_appbuilder import BaseView as FabView
from flask_appbuilder import expose as fab_expose
from flask_appbuilder import has_access
from flask_login import current_user
from flask_wtf import FlaskForm
from markupsafe import Markup
from redis.exceptions import RedisError

from app.access.accounts import SignInFailure
from app.access.audit import AuditAction, AuditEvent
from app.access.permissions import OPERATIONS
from app.entity.labels import Label
from app.entity.registry import registry
from app.evaluation.models import Change, Evaluation, Lease, PeriodRecord, RuleVersion, Run
from config import Settings

from .pages.context import rule_label
from .presentation import fmt, lazy, period_name, t, text
from .queue_keys import key_details, read_keys
from .settings_shown import settings_shown

URL = "/ops"
SHOWN_OF_A_HASH = 12
TITLE = Label("机房", "Machine room")

SIGN_INS = (
    AuditAction.SIGNED_IN,
    AuditAction.SIGN_IN_FAILED,
    AuditAction.LOCKED,
    AuditAction.UNLOCKED,
    AuditAction.SIGNED_OUT,
)

COLUMNS: dict[str, Label] = {
    "id": Label("编号", "Number"),
    "evaluation_id": Label("评定", "Evaluation"),
    "cause": Label("起因", "Cause"),
    "requested_rules": Label("规则", "Rules"),
    "requested_period": Label("周期", "Period"),
    "as_of": Label("截至", "As of"),
    "state": Label("状态", "State"),
    "rules_done": Label("已完成规则", "Rules done"),
    "rules_total": Label("规则数", "Rules in all"),
    "subjects_done": Label("已评对象", "Subjects done"),
    "created_at": Label("提出时间", "Requested at"),
    "started_at": Label("开始时间", "Started at"),
    "heartbeat_at": Label("最近心跳", "Last heartbeat"),
    "finished_at": Label("结束时间", "Finished at"),
    "problem_zh": Label("问题", "Problem"),
    "rule_code": Label("规则", "Rule"),
    "rule_kind": Label("种类", "Kind"),
    "rule_version": Label("规则版本", "Rule version"),
    "period_code": Label("周期", "Period"),
    "extent": Label("范围", "Extent"),
    "subjects": Label("对象数", "Subjects"),
    "changed": Label("有变化", "Changed"),
    "version": Label("版本", "Version"),
    "number": Label("第几版", "Number"),
    "first_used_at": Label("首次使用", "First used at"),
    "entity": Label("实体", "Entity"),
    "marked_at": Label("记录时间", "Marked at"),
    "ends_on": Label("截止日", "Ends on"),
    "provisional_at": Label("转暂定", "Provisional since"),
    "closed_at": Label("封账时间", "Closed at"),
    "name": Label("名称", "Name"),
    "holder": Label("持有者", "Holder"),
    "happened_at": Label("时间", "Time"),
    "actor_name": Label("用户名", "User name"),
    "action": Label("事件", "Event"),
    "address": Label("来源地址", "Address"),
    "failures": Label("连续失败", "Failures in a row"),
    "failed_at": Label("最近失败", "Last failure"),
    "locked_until": Label("锁定至", "Locked until"),
}


WORDS: dict[str, Label] = {
    "signed_in": Label("登录", "Signed in"),
    "sign_in_failed": Label("登录失败", "Sign-in failed"),
    "locked": Label("锁定", "Locked"),
    "unlocked": Label("解锁", "Unlocked"),
    "signed_out": Label("退出", "Signed out"),
    "queued": Label("等待", "Queued"),
    "running": Label("进行中", "Running"),
    "published": Label("已发布", "Published"),
    "failed": Label("失败", "Failed"),
    "stopped": Label("已停止", "Stopped"),
    "open": Label("进行中", "Open"),
    "provisional": Label("暂定", "Provisional"),
    "closed": Label("已封账", "Closed"),
    "full": Label("全部", "Full"),
    "partial": Label("部分", "Partial"),
    "console": Label("控制台", "Console"),
    "schedule": Label("定时", "Schedule"),
    "command": Label("命令行", "Command line"),
    "change": Label("记录变更", "Change of records"),
    "index": Label("指数", "Index"),
    "warning": Label("预警", "Warning"),
}
"""What codes of system tables say; one that is missing here is shown as it is."""


class Guarded:
    """Every view asks for the permission before anything else: strangers are sent to sign in, others refused."""

    def is_accessible(self) -> bool:
        return current_user.is_authenticated and current_app.appbuilder.sm.may(OPERATIONS)

    def inaccessible_callback(self, name: str, **_arguments: Any) -> Any:
        if current_user.is_authenticated:
            abort(403)
        return redirect(current_app.appbuilder.get_url_for_login_with(request.url))

    def render(self, template: str, **context: Any) -> Any:
        builder = current_app.appbuilder
        frame = {"appbuilder": builder, "base_template": builder.base_template, "title": self.name}
        return super().render(template, **{**frame, **context})  # type: ignore[misc]


WHAT_IS_THERE: dict[str, Label] = {
    "ops_evaluation": Label(
        "每次评定：谁发起、进度、用时、问题", "Each evaluation: who asked, how far it came, what went wrong"
    ),
    "ops_run": Label("每条规则每次评定的结果数和规则版本", "Each rule evaluated once: results and rule version"),
    "ops_rule_version": Label("用过的规则版本和首次使用时间", "Rule versions that have been used, and since when"),
    "ops_period": Label("各周期是进行中、暂定还是已封账", "Which periods are open, provisional or closed"),
    "ops_change": Label(
        "已保存、还没有重新评定的改动；长期不减少时检查评定进程",
        "Saved changes not yet scored again; if they stay, look at the evaluation worker",
    ),
    "ops_lease": Label("正在评定的规则由哪个进程占用", "Which process holds the rules being evaluated"),
    "ops_audit_event": Label("登录、退出、锁定和解锁", "Sign-ins, sign-outs, locks and unlocks"),
    "ops_sign_in_failure": Label(
        "连续输错密码的用户名，锁定到何时", "Names with failures in a row, and until when they are locked"
    ),
    "ops_queue": Label("任务队列里的键，只读", "The queue's keys, read only"),
    "ops_files": Label(
        "规则目录中的文件，只读；规则经审批修改", "Files of the rules folder, read only: rules change by approval"
    ),
    "ops_settings": Label(
        "本系统运行时的环境变量，不含密码", "The settings this installation runs with, without passwords"
    ),
}
"""What each page is for, by its endpoint."""


class Overview(Guarded, AdminIndexView):
    """What there is to look at."""

    def __init__(self) -> None:
        super().__init__(name=lazy(TITLE), url=URL, endpoint="ops", template="ops/index.html")

    def render(self, template: str, **context: Any) -> Any:
        return super().render(template, what_is_there=WHAT_IS_THERE, **context)


class Table(Guarded, ModelView):
    """A system table. Its columns are those named here; no other is read out."""

    can_create = can_edit = can_delete = can_export = can_view_details = False
    column_display_actions = False
    can_set_page_size = False
    page_size = 50
    list_template = "ops/table.html"
    named_filter_urls = False

    def __init__(self, model: type, label: Label, columns: str, *, newest: str, searched: str = "") -> None:
        name, listed = model.__tablename__.removeprefix("bc_"), columns.split()
        self.column_list = self.column_sortable_list = listed
        self.column_labels = {column: lazy(COLUMNS[column]) for column in listed}
        self.column_default_sort = (newest, True)
        self.column_searchable_list = searched.split() or None
        self.column_formatters = dict.fromkeys(listed, _value)
        with warnings.catch_warnings():
            # Flask-Admin would rather have Flask-SQLAlchemy's object, which there is none of here.
            warnings.simplefilter("ignore", DeprecationWarning)
            super().__init__(
                model, current_app.appbuilder.session, name=lazy(label), endpoint=f"ops_{name}", url=f"{URL}/{name}"
            )

    def render(self, template: str, **context: Any) -> Any:
        searched = self.column_searchable_list or ()
        words = t("、", ", ").join(str(self.column_labels[column]) for column in searched)
        return super().render(template, search_words=words, **context)

    def scaffold_form(self) -> type[FlaskForm]:
        """No form: nothing is written here."""
        return FlaskForm

    scaffold_list_form = None  # nothing is edited in the list either


class SignIns(Table):
    """Sign-ins of the audit trail; its other events are the auditors' to read."""

    def get_query(self) -> Any:
        return super().get_query().filter(AuditEvent.action.in_([action.value for action in SIGN_INS]))

    def get_count_query(self) -> Any:
        return super().get_count_query().filter(AuditEvent.action.in_([action.value for action in SIGN_INS]))


def _value(_view: Any, _context: Any, row: Any, column: str) -> Any:
    value = getattr(row, column)
    if column in ("state", "action", "cause", "extent", "rule_kind") and value in WORDS:
        return text(WORDS[value])
    if column == "entity" and value in registry:
        return text(registry[value].label)
    if column in ("rule_code", "requested_rules") and value:
        return t("、", ", ").join(text(rule_label(code)) for code in value.split())
    if column in ("rule_version", "version") and value:
        return Markup('<code title="{}">{}</code>').format(value, value[:SHOWN_OF_A_HASH])
    if column == "period_code" or column == "requested_period":
        return period_name(value) if value else fmt(None)
    if isinstance(value, date):
        return Markup('<span class="nowrap">{}</span>').format(fmt(value))
    return fmt(value)


class RuleFiles(Guarded, FileAdmin):
    """The rules folder as it lies on the disk. Rules change by approval, never here."""

    can_upload = can_delete = can_delete_dirs = can_mkdir = can_rename = False
    can_download = True
    editable_extensions = ()
    list_template = "ops/files.html"

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            str(settings.rules_dir),
            base_url=None,
            name=lazy(Label("规则文件", "Rule files")),
            endpoint="ops_files",
            url=f"{URL}/files",
        )

    def is_accessible_path(self, path: str) -> bool:
        return not any(part.startswith(".") for part in (path or "").split("/") if part not in ("", ".", ".."))


class QueueKeys(Guarded, BaseView):
    """The queue's keys, read with a few reading commands and no others."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__(name=lazy(Label("队列", "Queue")), endpoint="ops_queue", url=f"{URL}/queue")

    @expose("/")
    def index(self) -> Any:
        try:
            found, away = read_keys(self.settings, request.args.get("q", "")), False
        except RedisError:
            found, away = None, True
        return self.render("ops/keys.html", found=found, away=away, words=request.args.get("q", ""))

    @expose("/key")
    def key(self) -> Any:
        try:
            details, away = key_details(self.settings, request.args.get("name", "")), False
        except RedisError:
            details, away = None, True
        if details is None and not away:
            abort(404)
        return self.render("ops/key.html", key=details, away=away)


class ShownSettings(Guarded, BaseView):
    """What the installation is run with, without its secrets."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__(name=lazy(Label("设置", "Settings")), endpoint="ops_settings", url=f"{URL}/settings")

    @expose("/")
    def index(self) -> Any:
        return self.render("ops/settings.html", rows=settings_shown(self.settings))


class OperationsPage(FabView):
    """Leads from the console's menu to the machine room: FAB asks for the permission."""

    route_base = "/operations"
    default_view = "access"
    class_permission_name = OPERATIONS.page

    @fab_expose("/")
    @has_access
    def access(self) -> Any:
        return redirect(url_for("ops.index"))


def install(app: Flask, appbuilder: Any, settings: Settings) -> None:
    """Mount the machine room. Needs an application context."""
    admin = Admin(
        app,
        name=TITLE.en,
        url=URL,
        endpoint="ops",
        index_view=Overview(),
        theme=Bootstrap4Theme(base_template="ops/frame.html"),
    )
    for view in (
        Table(
            Evaluation,
            Label("评定", "Evaluations"),
            "id state cause requested_rules requested_period as_of rules_done rules_total subjects_done "
            "created_at started_at heartbeat_at finished_at problem_zh",
            newest="id",
            searched="cause state",
        ),
        Table(
            Run,
            Label("运行", "Runs"),
            "id evaluation_id rule_code rule_kind period_code as_of extent state subjects changed started_at "
            "finished_at rule_version",
            newest="id",
            searched="rule_code period_code state",
        ),
        Table(
            RuleVersion,
            Label("规则版本", "Rule versions"),
            "rule_code number version first_used_at",
            newest="first_used_at",
            searched="rule_code",
        ),
        Table(
            PeriodRecord,
            Label("周期", "Periods"),
            "period_code state ends_on provisional_at closed_at",
            newest="ends_on",
        ),
        Table(Change, Label("待评变更", "Changes waiting"), "id entity marked_at", newest="id"),
        Table(Lease, Label("运行锁", "Leases"), "name holder heartbeat_at", newest="heartbeat_at"),
        SignIns(
            AuditEvent,
            Label("登录", "Sign-ins"),
            "happened_at actor_name action address",
            newest="happened_at",
            searched="actor_name address",
        ),
        Table(
            SignInFailure,
            Label("登录锁定", "Locked names"),
            "name failures failed_at locked_until",
            newest="failed_at",
            searched="name",
        ),
        QueueKeys(settings),
        RuleFiles(settings),
        ShownSettings(settings),
    ):
        admin.add_view(view)
    appbuilder.add_view(
        OperationsPage, "menu.operations", label=lazy(TITLE), icon="fa-server", category="system", href=f"{URL}/"
    )
