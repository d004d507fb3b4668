"""A small Flask-AppBuilder application with two throw-away models, which shows every kind of page with our templates.

`create_gallery(folder)` makes it; `python -m tests.console.gallery PORT` serves it to look at. Users: `admin` and
`secretary`, password `gallery`. Pages of our own are under `/page/<name>`, filled from `sample_pages.py`.
"""

from __future__ import annotations

import contextlib
import datetime
import enum
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flask import Flask, jsonify, redirect, render_template, request, url_for
from flask_appbuilder import AppBuilder, BaseView, ModelView, action, expose, forms, has_access
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_login import current_user
from flask_wtf import CSRFProtect
from markupsafe import Markup
from sqlalchemy import Date, DateTime, Enum, ForeignKey, String, Text, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from wtforms import DateField, DateTimeLocalField, Field, widgets
from wtforms.validators import DataRequired
from wtforms.widgets import html_params

from app.console import presentation
from app.console.presentation import MenuEntry, Reader, lazy
from app.entity.labels import Label
from tests.console import sample_pages

CONSOLE = Path(presentation.__file__).parent
ROWS = 60


class Standing(enum.StrEnum):
    FULL = "full"
    PROBATIONARY = "probationary"

    @property
    def label(self) -> Label:
        return {"full": Label("正式党员", "Full member"), "probationary": Label("预备党员", "Probationary")}[self.value]


class GalleryBase(DeclarativeBase):
    """Tables apart from Beacon's own, whose migrations other tests compare with all that is declared."""


class Unit(GalleryBase):
    __tablename__ = "gallery_unit"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    street: Mapped[str] = mapped_column(String(20))

    def __repr__(self) -> str:
        return self.name


class Person(GalleryBase):
    __tablename__ = "gallery_person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    unit_id: Mapped[int] = mapped_column(ForeignKey("gallery_unit.id"))
    unit: Mapped[Unit] = relationship(lazy="joined")
    standing: Mapped[Standing] = mapped_column(Enum(Standing))
    joined: Mapped[datetime.date | None] = mapped_column(Date)
    seen: Mapped[datetime.datetime | None] = mapped_column(DateTime)
    phone: Mapped[str | None] = mapped_column(String(20))
    hours: Mapped[float | None]
    retired: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None] = mapped_column(Text)

    def __repr__(self) -> str:
        return self.name


def _widget(base: type, **extra: str) -> type:
    class Plain(base):
        def __call__(self, field, **kwargs):
            field.name = kwargs.pop("name_", field.name)
            return super().__call__(field, **{**kwargs, "class": "form-control", **extra})

    return Plain


class SearchedSelect:
    """A select with the chosen row alone; the others come from the server as one types."""

    def __call__(self, field, **kwargs):
        kwargs = {"id": field.id, "name": kwargs.pop("name_", field.name), **kwargs, "class": "form-control"}
        attributes = html_params(**kwargs, **{"data-ajax": url_for("Choices.units")})
        chosen = field.data
        option = Markup('<option value="{}" selected>{}</option>').format(chosen.id, chosen) if chosen else ""
        return Markup('<select %s><option value=""></option>%s</select>') % (Markup(attributes), option)


class UnitField(Field):
    widget = SearchedSelect()

    def process_formdata(self, values):
        self.data = SQLAInterface(Unit, forms_session()).get(values[0]) if values and values[0] else None


def forms_session():
    return Choices.session


class Choices(BaseView):
    route_base = "/choices"
    session = None

    @expose("/units")
    @has_access
    def units(self):
        query = select(Unit).order_by(Unit.id).limit(20)
        if request.args.get("id"):
            query = query.where(Unit.id == int(request.args["id"]))
        else:
            query = query.where(Unit.name.contains(request.args.get("q", ""), autoescape=True))
        found = self.session.scalars(query)
        return jsonify([{"value": str(unit.id), "text": unit.name, "hint": unit.street} for unit in found])


LABELS = {
    "name": Label("姓名", "Name"),
    "unit": Label("所在党组织", "Organization"),
    "standing": Label("人员类别", "Standing"),
    "joined": Label("入党日期", "Joined on"),
    "seen": Label("最近到会", "Last seen"),
    "phone": Label("手机号", "Mobile"),
    "hours": Label("本年学时", "Hours this year"),
    "retired": Label("已退休", "Retired"),
    "note": Label("备注", "Note"),
    "street": Label("街镇", "Street"),
    "units": Label("党组织", "Organizations"),
    "persons": Label("党员", "Members"),
    "records": Label("业务数据", "Records"),
    "credit": Label("登记学时", "Credit hours"),
    "ask_credit": Label("登记 2 学时？", "Credit 2 hours?"),
    "trash": Label("移入回收站", "Move to trash"),
    "ask_trash": Label("移入回收站？", "Move to trash?"),
}


class PersonView(ModelView):
    datamodel = SQLAInterface(Person)
    label_columns = {name: lazy(label) for name, label in LABELS.items()}
    list_title = lazy(Label("党员", "Members"))
    show_title = lazy(Label("党员详情", "Member"))
    add_title = lazy(Label("新增党员", "Add a member"))
    edit_title = lazy(Label("编辑党员", "Edit the member"))
    list_columns = ["name", "unit", "joined", "phone", "hours", "standing", "retired"]
    card_columns = ["unit", "phone", "hours"]
    quick_filters = ["unit", "standing", "hours"]
    search_columns = ["name", "unit", "standing", "hours", "joined", "seen", "retired"]
    add_columns = edit_columns = ["name", "unit", "standing", "joined", "seen", "phone", "hours", "retired", "note"]
    show_columns = add_columns
    description_columns = {"hours": lazy(Label("目标 32 学时", "32 are due"))}
    formatters_columns = {
        "phone": lambda value: value and f"{value[:3]}****{value[-4:]}",
        "standing": lambda value: Standing(value).label,
    }
    measure = Label("名", "members")
    empty_text = Label("党员的基本信息记在这里。", "Members are kept here.")
    note = Label("手机号已隐去中间四位。", "The middle of mobile numbers is hidden.")
    add_form_extra_fields = edit_form_extra_fields = search_form_extra_fields = {
        "unit": UnitField(lazy(LABELS["unit"]), [DataRequired()])
    }

    @action("credit", LABELS["credit"], LABELS["ask_credit"])
    def credit(self, items):
        return redirect(self.get_redirect())

    @action("trash", LABELS["trash"], LABELS["ask_trash"], single=False)
    def trash(self, items):
        return redirect(self.get_redirect())


class UnitView(ModelView):
    datamodel = SQLAInterface(Unit)
    label_columns = {**PersonView.label_columns, "name": lazy(Label("名称", "Name"))}
    list_title = lazy(Label("党组织", "Organizations"))
    show_title = lazy(Label("党组织详情", "Organization"))
    add_title = lazy(Label("新增党组织", "Add an organization"))
    edit_title = lazy(Label("编辑党组织", "Edit the organization"))
    list_columns = show_columns = add_columns = edit_columns = search_columns = ["name", "street"]
    related_views = [PersonView]
    measure = Label("个", "organizations")


class Pages(BaseView):
    route_base = "/page"
    default_view = "show"

    @expose("/<name>")
    @has_access
    def show(self, name: str):
        template = {"no_index": "dashboard"}.get(name, name)
        context = sample_pages.contexts()["run" if name == "run_progress" else name]
        return self.render_template(f"beacon/{template}.html", **context)


def reader() -> Reader:
    if not current_user.is_authenticated:
        return Reader()
    bar = ()
    if current_user.username == "secretary":
        bar = (
            MenuEntry(Label("首页", "Home"), "fa-house", "/page/home", active=request.path == "/page/home"),
            MenuEntry(Label("预警", "Warnings"), "fa-bell", "/page/warnings", 3),
            MenuEntry(Label("补录", "Record"), "fa-square-plus", "/personview/add"),
            MenuEntry(Label("记分卡", "Scorecard"), "fa-chart-simple", "/page/scorecard"),
        )
    return Reader(current_user.get_full_name(), "闵行区", Label("区级", "District"), True, bar, "/personview/list/")


@contextlib.contextmanager
def native_fields() -> Iterator[None]:
    """FAB's own date pickers cannot be filled in; native fields take their place until the context is left."""
    before = forms.FieldConverter.conversion_table
    swap = {
        "is_text": (None, _widget(widgets.TextArea, rows="4")),
        "is_string": (None, _widget(widgets.TextInput)),
        "is_float": (None, _widget(widgets.NumberInput, step="any")),
        "is_date": (DateField, _widget(widgets.DateInput)),
        "is_datetime": (DateTimeLocalField, _widget(widgets.DateTimeLocalInput)),
    }
    forms.FieldConverter.conversion_table = tuple(
        (kind, swap[kind][0] or field, swap[kind][1]) if kind in swap else (kind, field, widget)
        for kind, field, widget in before
    )
    try:
        yield
    finally:
        forms.FieldConverter.conversion_table = before


def create_gallery(folder: Path) -> Flask:
    """The application, with 60 persons in 6 units, in a SQLite file of `folder`."""
    app = Flask("gallery", template_folder=CONSOLE / "templates", static_folder=CONSOLE / "static")
    app.config.update(
        SECRET_KEY="gallery" * 6,
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder}/gallery.db",
        BABEL_DEFAULT_LOCALE="zh",
        LANGUAGES={"zh": {"flag": "cn", "name": "简体中文"}, "en": {"flag": "gb", "name": "English"}},
        BABEL_TRANSLATION_DIRECTORIES=str(CONSOLE / "translations"),
        FAB_API_SWAGGER_UI=False,
        PROPAGATE_EXCEPTIONS=False,
    )
    database = SQLA(app)
    CSRFProtect(app)
    presentation.install(app, reader=reader, unread=lambda: 5 if current_user.is_authenticated else 0)

    @app.after_request
    def policy(response):
        response.headers["Content-Security-Policy"] = presentation.CONTENT_SECURITY_POLICY
        return response

    @app.errorhandler(404)
    def not_found(error):
        base = {"base_template": "appbuilder/baselayout.html", "appbuilder": app.appbuilder}
        title = presentation.t("没有找到这一页", "This page was not found")
        why = presentation.t("地址可能写错了，或不在您的管辖范围内。", "The address may be wrong, or not yours to see.")
        return render_template("errors/error.html", code=404, title=title, why=why, reference="c0ffee", **base), 404

    with app.app_context():
        builder = AppBuilder(app, database.session)
        database.create_all()
        GalleryBase.metadata.create_all(database.engine)
        Choices.session = database.session
        builder.add_view(UnitView, "Units", label=lazy(LABELS["units"]), icon="fa-sitemap", category="Records")
        builder.add_view(PersonView, "Persons", label=lazy(LABELS["persons"]), icon="fa-users", category="Records")
        builder.menu.find("Records").label = lazy(LABELS["records"])
        builder.add_view_no_menu(Choices)
        builder.add_view_no_menu(Pages)
        _fill(database.session, builder.sm)
    return app


def _fill(session, security) -> None:
    chance = random.Random(7)
    streets = ["吴泾镇", "浦江镇", "梅陇镇", "古美街道", "七宝镇", "马桥镇"]
    units = [Unit(name=f"{street}平阳第{n + 1}居民区党支部", street=street) for n, street in enumerate(streets)]
    session.add_all(units)
    for n in range(ROWS):
        session.add(
            Person(
                name=f"演示党员 {1000 + n}",
                unit=chance.choice(units),
                standing=chance.choice(list(Standing)),
                joined=datetime.date(chance.randint(1975, 2023), chance.randint(1, 12), chance.randint(1, 28)),
                seen=datetime.datetime(2026, 11, 20, 18, 30),
                phone=f"138{chance.randint(0, 99999999):08}",
                hours=chance.choice([None, 4, 8.5, 12, 32]),
                retired=chance.random() < 0.2,
            )
        )
    session.commit()
    security.add_user("admin", "管理员", "演示·", "a@example.org", security.find_role("Admin"), "gallery")
    role = security.add_role("支部书记")
    for view, permissions in {"PersonView": ["can_list", "can_show"], "Pages": ["can_show"]}.items():
        for permission in permissions:
            security.add_permission_role(role, security.add_permission_view_menu(permission, view))
    for menu in ("Records", "Persons"):
        security.add_permission_role(role, security.add_permission_view_menu("menu_access", menu))
    security.add_user("secretary", "支部书记", "演示·", "b@example.org", role, "gallery")


if __name__ == "__main__":
    with native_fields():
        create_gallery(Path(tempfile.mkdtemp())).run("127.0.0.1", int(sys.argv[1]), threaded=True)
