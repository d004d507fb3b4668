"""The operations of a record, on its page: a button for each that is offered, a form where something is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, current_app, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.forms import DynamicForm
from flask_login import current_user

from app.access.operations import NoSuchRow, NotOffered, offered, perform, permission_for
from app.access.web_session import present_actor
from app.entity.faults import InvalidRow
from app.entity.labels import Label, UserError
from app.entity.operations import Operation, operation_of, operations_of
from app.entity.registry import Entity, registry

from .display import name_of
from .forms import asked_field
from .menu import forget_counts
from .presentation import t, text


@dataclass(frozen=True)
class OfferedOperation:
    """A button of a record's page. One that asks for something leads to a form; the others are done by pressing."""

    operation: Operation
    url: str

    @property
    def label(self) -> Label:
        return self.operation.label

    @property
    def asks(self) -> bool:
        return bool(self.operation.asks)

    @property
    def question(self) -> str:
        label = self.operation.label
        return text(self.operation.confirm or Label(f"确定“{label.zh}”？", f"{label.en}: are you sure?"))


class OperatesRows:
    """The part of ``ConsoleModelView`` that runs operations."""

    def offered_operations(self, row: Entity) -> list[OfferedOperation]:
        """Those that the row's state, its place and the reader's permissions allow."""
        if not operations_of(self.entity.code):
            return []
        return [
            OfferedOperation(each, url_for(f"{self.endpoint}.operate", name=each.code, pk=row.id))
            for each in offered(self.datamodel.session, present_actor(), row)
            if may_operate(each)
        ]

    @expose("/operate/<string:name>/<pk>", methods=["GET", "POST"])
    def operate(self, name: str, pk: str) -> Any:
        operation = operation_of(self.entity.code, name)
        if not current_user.is_authenticated:
            return redirect(url_for("SignInView.login", next=request.path))
        if operation is None:
            abort(404)
        if not may_operate(operation):
            abort(403)
        row = self._row(pk)
        place = self.list_to_return_to() or url_for(f"{self.endpoint}.show", pk=row.id)
        if not operation.offered(row) or (request.method == "GET" and not operation.asks):
            if not operation.offered(row):
                flash(t(f"现在不能“{operation.label.zh}”", f"Not possible now: {operation.label.en}"), "warning")
            return redirect(place)
        key, called = row.id, name_of(row)
        form = operation_form(operation)(data=operation.initial(row) if operation.initial else None)
        if request.method == "POST" and form.validate() and self._operate(operation, key, form):
            flash(t(f"已办理“{operation.label.zh}”：{called}", f"{operation.label.en}: {called}"), "success")
            return redirect(place)
        if request.method == "POST" and not operation.asks:
            for errors in form.errors.values():
                flash("；".join(text(error) for error in errors), "danger")
            return redirect(place)
        names = [field.name.removesuffix("_id") if field.options.target else field.name for field in operation.asks]
        return self.render_template(
            "beacon/operation.html",
            pk=key,
            title=text(operation.label),
            record_name=called,
            widgets={
                "edit": self.edit_widget(
                    form=form, include_cols=names, exclude_cols=[], fieldsets=[], submit_verb=text(operation.label)
                )
            },
            form_action="",
        )

    def _operate(self, operation: Operation, key: int, form: Any) -> bool:
        """Do it; False when it was refused, which the form then says."""
        values = {}
        for field in operation.asks:
            values[field.name] = form[field.name.removesuffix("_id") if field.options.target else field.name].data
        actor = present_actor()
        # The reader's own transaction ends here, so that the operation waits for nobody and the next page sees it.
        self.datamodel.session.rollback()
        try:
            perform(current_app.extensions["engine"], actor, operation, key, values)
        except NoSuchRow:
            abort(404)
        except InvalidRow as error:
            _say(form, error)
            return False
        except (NotOffered, UserError) as error:
            field = (getattr(error, "field", None) or "").removesuffix("_id")
            _add(form, field, error.label)
            return False
        forget_counts()
        return True


def may_operate(operation: Operation) -> bool:
    """Whether the present user is permitted to do it at all."""
    return current_app.appbuilder.sm.has_access(*permission_for(operation))


def operation_form(operation: Operation) -> type[DynamicForm]:
    """The form of what an operation asks for."""
    entity = registry[operation.entity]
    fields = {}
    for field in operation.asks:
        fields[field.name.removesuffix("_id") if field.options.target else field.name] = asked_field(entity, field)
    return type("OperationForm", (DynamicForm,), fields)


def _say(form: Any, error: InvalidRow) -> None:
    for row, found in error.faults.items():
        described = registry.of(type(row))
        for fault in found:
            name = fault.field.removesuffix("_id")
            known = described.fields.get(fault.field) if described else None
            if name not in form and known is not None:
                fault = UserError(f"{known.label.zh}：{fault.label.zh}", f"{known.label.en}: {fault.label.en}")
            _add(form, name, fault.label)


def _add(form: Any, name: str, label: Label) -> None:
    if name and name in form:
        form[name].errors = [*form[name].errors, label]
    else:
        form.form_errors = [*form.form_errors, label]
