"""The editor of a draft: its tree, one panel at a time, the text beside it. Every change is saved as one types, with
the revision that it was made on, so that nobody overwrites another's work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import jsonify, make_response, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.entity.labels import Label, UserError
from app.entity.registry import registry
from app.evaluation import results
from app.rules.model import Index
from app.rules.sentences import read_conditions, read_expression, read_light, read_metric, read_node
from app.workshop import drafts
from app.workshop.models import EDITABLE, Draft, DraftState

from ..pages.context import Page, chosen_period, library
from ..presentation import text
from . import previews, samples
from .desk import ONLY_TEXT, Desk
from .faults import of_panel
from .forms.ground import FormGround
from .forms.panels import FIGURE, LIGHTS, NODE, Panel, panels_of, titles
from .forms.row_commands import carried_out
from .forms.shape_form import HINTS
from .indicators import INDICATOR_KINDS, new_figure, new_node
from .links import page_link
from .suggestions import suggested

OF_THE_TREE = ("weight", "enabled")
"""What the form of a node leaves to the tree."""


class WorkshopEditor(Page):
    """编辑草稿."""

    route_base = "/workshop/drafts"
    default_view = "edit"
    class_permission_name = "Rule"
    method_permission_name = dict.fromkeys(
        (
            "edit",
            "panel",
            "save",
            "preview",
            "tree",
            "add",
            "write",
            "choose",
            "figures",
            "withdraw",
            "columns",
            "presence",
        ),
        "edit",
    )

    # Reading

    @expose("/<int:draft_id>")
    @has_access
    def edit(self, draft_id: int) -> Any:
        self.update_redirect()
        draft = self._draft(draft_id)
        desk = desk_of(draft)
        panel = desk.panel(request.args.get("part")) if desk.is_readable else None
        if panel is None and request.args.get("part"):
            return redirect(url_for("WorkshopEditor.edit", draft_id=draft_id))
        return self.render_template("workshop/editor.html", **self._whole(draft, desk, panel))

    @expose("/<int:draft_id>/panel/<key>")
    @has_access
    def panel(self, draft_id: int, key: str) -> Any:
        """One panel alone, for htmx; opened as a page, the editor with it."""
        if not request.headers.get("HX-Request"):
            return redirect(url_for("WorkshopEditor.edit", draft_id=draft_id, part=key))
        draft = self._draft(draft_id)
        desk = desk_of(draft)
        panel = desk.panel(key)
        if panel is None:
            raise NotFound
        return self.render_template("workshop/answer.html", **self._whole(draft, desk, panel), with_panel=True)

    @expose("/<int:draft_id>/preview/<key>")
    @has_access
    def preview(self, draft_id: int, key: str) -> str:
        """What the part gives today."""
        draft = self._draft(draft_id)
        desk = desk_of(draft)
        panel = desk.panel(key)
        if panel is None:
            raise NotFound
        shown = previews.of_panel(self, desk, panel)
        return self.render_template("workshop/preview.html", urls=self._addresses(draft_id, panel), **shown)

    @expose("/<int:draft_id>/presence", methods=["POST"])
    @has_access
    def presence(self, draft_id: int) -> str:
        """Tell that the reader has the draft open, and where; answered with who else has. Asked every 15 seconds."""
        draft = self._draft(draft_id)
        drafts.be_present(self.session, draft, self.user_id(), request.form.get("open_panel"))
        present = drafts.others_present(self.session, draft, self.user_id())
        return self.render_template("workshop/presence.html", present=present, urls=self._addresses(draft_id, None))

    @expose("/columns")
    @has_access
    def columns(self) -> Response:
        """The columns of an entity as ``[value, text]``: ``numbers=1`` for those that can be added up."""
        known = registry.get(request.args.get("entity", ""))
        ground = FormGround({})
        only = "numbers" if request.args.get("numbers") else ""
        own = ground.columns(known, only=only)[0][1] if known is not None else []
        return jsonify([[value, text(label)] for value, label in own])

    # Changing

    @expose("/<int:draft_id>/panel/<key>", methods=["POST"])
    @has_access
    def save(self, draft_id: int, key: str) -> Any:
        """What a panel's form says, into the text. ``command`` is one of its small buttons; ``redraw``: the form is
        answered too, else only what follows from the change."""
        draft = self._draft(draft_id)
        desk = desk_of(draft)
        panel = desk.panel(key)
        if panel is None:
            raise NotFound
        data = panel.form(desk.ground, formdata=request.form).data
        # Points and whether a node counts are the tree's, which may have changed since the form was shown.
        data |= {name: value for name, value in panel.read(desk.ground).items() if name in OF_THE_TREE}
        command = request.form.get("command")
        if command == "suggest":
            suggested(self, desk, panel, data)
        elif command:
            carried_out(command, data)
        elif panel.kind == NODE and data.get("shape") in ("bands", "curve") and _has_no_rows(data):
            other = data["points" if data["shape"] == "bands" else "bands"]
            if other:
                data["bands" if data["shape"] == "bands" else "points"] = other
            else:
                suggested(self, desk, panel, data)
        return self._stored(
            draft,
            lambda: desk.with_document(panel.document(desk.ground, data)),
            key,
            with_panel=bool(request.form.get("redraw")),
            data=data,
        )

    @expose("/<int:draft_id>/tree", methods=["POST"])
    @has_access
    def tree(self, draft_id: int) -> Any:
        """Points of the tree, and what its buttons do: ``command`` is ``verb:code``."""
        draft = self._draft(draft_id)
        desk = desk_of(draft)
        verb, _, code = (request.form.get("command") or "weights:").partition(":")
        under = request.form.get("under") or ""
        actions: dict[str, Callable[[], str]] = {
            "weights": lambda: desk.typed_weights(request.form),
            "balance": lambda: desk.balanced(code, evenly=False),
            "even": lambda: desk.balanced(code, evenly=True),
            "top-up": lambda: desk.topped_up(code),
            "up": lambda: desk.shifted(code, -1),
            "down": lambda: desk.shifted(code, 1),
            "move": lambda: desk.moved(code, under),
            "remove": lambda: desk.without_node(code),
            "on": lambda: desk.switched(code, True),
            "off": lambda: desk.switched(code, False),
        }
        if verb not in actions:
            raise NotFound
        key = request.form.get("open_panel") or ""
        return self._stored(draft, actions[verb], key, with_panel=verb != "weights" or key == f"{NODE}:{code}")

    @expose("/<int:draft_id>/add", methods=["POST"])
    @has_access
    def add(self, draft_id: int) -> Any:
        """A new indicator or dimension, with the figure that it takes."""
        draft = self._draft(draft_id)
        desk = desk_of(draft)
        made: list[str] = []

        def change() -> str:
            text, code = new_node(desk, request.form)
            made.append(f"{NODE}:{code}")
            return text

        return self._stored(draft, change, made, with_panel=True)

    @expose("/<int:draft_id>/figures", methods=["POST"])
    @has_access
    def figures(self, draft_id: int) -> Any:
        """A new figure, or one less."""
        draft = self._draft(draft_id)
        desk = desk_of(draft)
        verb, _, name = (request.form.get("command") or "add:").partition(":")
        made: list[str] = []

        def change() -> str:
            if verb == "remove":
                return desk.without_figure(name)
            text, new = new_figure(desk, request.form)
            made.append(f"{FIGURE}:{new}")
            return text

        return self._stored(draft, change, made, with_panel=True)

    @expose("/<int:draft_id>/text", methods=["POST"])
    @has_access
    def write(self, draft_id: int) -> Any:
        """The text itself, as somebody typed it."""
        draft = self._draft(draft_id)
        typed = (request.form.get("text") or "").replace("\r\n", "\n")
        key = request.form.get("open_panel") or ""
        return self._stored(draft, lambda: typed, key, with_panel=True, with_text=False)

    @expose("/<int:draft_id>/samples/<key>", methods=["POST"])
    @has_access
    def choose(self, draft_id: int, key: str) -> str:
        """Other real subjects beside the form."""
        desk = desk_of(self._draft(draft_id))
        entity = desk.ground.subject
        if entity is not None:
            samples.choose(entity.code, [int(each) for each in request.form.getlist("sample") if each.isdigit()])
        return self.preview(draft_id, key)

    @expose("/<int:draft_id>/withdraw", methods=["POST"])
    @has_access
    def withdraw(self, draft_id: int) -> Response:
        drafts.withdraw(self.session, self._draft(draft_id), self.user_id())
        return redirect(url_for("WorkshopPage.show"))

    # What they share

    def user_id(self) -> int:
        found = self.actor.user_id
        if found is None:
            raise NotFound
        return found

    def _draft(self, draft_id: int) -> Draft:
        """A draft that the reader works on; 404 for others', as if absent."""
        draft = drafts.draft_for(self.session, draft_id, self.user_id())
        if draft is None:
            raise NotFound
        return draft

    def _stored(
        self,
        draft: Draft,
        change: Callable[[], str],
        key: str | list[str],
        *,
        with_panel: bool,
        data: dict[str, Any] | None = None,
        with_text: bool = True,
    ) -> Any:
        """Store a change of the text, and answer with what follows from it. Refusals are said on the page, with the
        draft as it stands."""
        refusal: Label | None = None
        revision = request.form.get("revision", type=int) or draft.revision
        try:
            drafts.save(self.session, draft, self.user_id(), revision, change())
        except UserError as error:
            refusal, data, with_panel = error.label, None, True
        if not request.headers.get("HX-Request"):
            part = key[0] if isinstance(key, list) and key else key or None
            return redirect(url_for("WorkshopEditor.edit", draft_id=draft.id, part=part))
        desk = desk_of(draft)
        wanted = key[0] if isinstance(key, list) and key else key if isinstance(key, str) else ""
        panel = (desk.panel(wanted) or desk.panel(None)) if desk.is_readable else None
        context = self._whole(draft, desk, panel, data=data)
        context |= {"with_panel": with_panel, "refusal": refusal, "with_text": with_text}
        answer = make_response(self.render_template("workshop/answer.html", **context))
        answer.headers["HX-Trigger"] = "preview"
        if isinstance(key, list) and key:
            answer.headers["HX-Push-Url"] = url_for("WorkshopEditor.edit", draft_id=draft.id, part=key[0])
        return answer

    def _addresses(self, draft_id: int, panel: Panel | None) -> dict[str, str]:
        urls = {
            name: url_for(f"WorkshopEditor.{name}", draft_id=draft_id)
            for name in ("edit", "tree", "add", "write", "figures", "withdraw", "presence")
        }
        if panel is not None:
            urls["save"] = url_for("WorkshopEditor.save", draft_id=draft_id, key=panel.key)
            urls["preview"] = url_for("WorkshopEditor.preview", draft_id=draft_id, key=panel.key)
            urls["choose"] = url_for("WorkshopEditor.choose", draft_id=draft_id, key=panel.key)
        return urls

    def _whole(
        self, draft: Draft, desk: Desk, panel: Panel | None, *, data: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The context of the editor and of its parts; each template tells what it takes."""
        form = panel.form(desk.ground, data=data) if panel is not None else None
        faults, others = of_panel(panel, form, desk.problems) if panel is not None else ({}, [])
        label = desk.parsed.attempt.label if desk.parsed.attempt else Label(desk.code, desk.code)
        return {
            "title": label,
            "draft": draft,
            "state": DraftState(draft.state).label,
            "can_edit": draft.state in EDITABLE,
            "desk": desk,
            "ground": desk.ground,
            "panel": panel,
            "form": form,
            "faults": faults,
            "other_faults": others,
            "sentence": sentence_of(desk, panel),
            "way": _way(desk, panel),
            "panel_title": panel.title(desk.ground) if panel is not None else label,
            "parts": titles(desk.ground) if desk.is_readable else {},
            "figures": _figures(desk),
            "present": drafts.others_present(self.session, draft, self.user_id()),
            "urls": self._addresses(draft.id, panel),
            "panel_url": lambda key: url_for("WorkshopEditor.panel", draft_id=draft.id, key=key),
            "part_url": lambda key: url_for("WorkshopEditor.edit", draft_id=draft.id, part=key),
            "only_text": None if desk.is_readable else ONLY_TEXT,
            "shape_hint": HINTS.get((form.shape.data or "") if panel and panel.kind == NODE else "", Label("", "")),
            "categories": _categories(desk, panel, form),
            "indicator_kinds": INDICATOR_KINDS,
            "refusal": None,
            "with_text": True,
            "links": self._links(draft),
        }

    def _links(self, draft: Draft) -> dict[str, str | None]:
        """The steps behind editing, as far as their pages are there."""
        return {
            "dry_run": page_link("DryRunPage.show", draft_id=draft.id),
            "submit": page_link("ApprovalPage.ask", draft_id=draft.id),
            "weighing": page_link("WeighingPage.show", draft_id=draft.id, code="-"),
        }

    def period_of(self, desk: Desk) -> str:
        """The period whose scores stand beside the form."""
        rule = desk.rules.get(desk.code)
        if not isinstance(rule, Index):
            return ""
        known = results.periods_of(self.session, rule.code)
        return chosen_period(self.session, rule) if known else ""


def desk_of(draft: Draft) -> Desk:
    rules = library()
    current = rules.rules().get(draft.rule_code)
    return Desk(draft.rule_kind, draft.rule_code, draft.source_text, current.source_text if current else None, rules)


def sentence_of(desk: Desk, panel: Panel | None) -> Label | None:
    """The part read back in words."""
    words, rule = desk.words, desk.parsed.attempt
    if words is None or rule is None or panel is None:
        return None
    if panel.kind == NODE and isinstance(rule, Index):
        found = next((node for node in rule.root.walk(disabled=True) if node.code == panel.name), None)
        return read_node(found, words) if found is not None else None
    if panel.kind == FIGURE:
        named = words.named(panel.name)
        if named is None:
            return None
        if hasattr(named, "expression"):
            return read_expression(named.expression, words)
        return read_metric(named, words, in_full=True)  # type: ignore[arg-type]
    if panel.kind == LIGHTS:
        value = Label("得分", "the score") if isinstance(rule, Index) else Label("该数值", "that value")
        lit = [read_light(each, words, value) for each in (rule.lights if isinstance(rule, Index) else rule.levels)]  # type: ignore[attr-defined]
        said = Label("；".join(each.zh for each in lit), "; ".join(each.en for each in lit))
        looked_at = getattr(rule, "value", None)
        if looked_at is None:
            return said if lit else None
        read = read_expression(looked_at, words)
        return Label(f"看{read.zh}。{said.zh}", f"{read.en}. {said.en}")
    if panel.kind == "general":
        read = read_conditions(rule.applies_to, words)
        entity = words.subject
        if entity is None or not read.zh:
            return None
        return Label(f"{entity.label.zh}：{read.zh}", f"{entity.label.en}: {read.en}")
    return None


def _way(desk: Desk, panel: Panel | None) -> Label | None:
    """The dimension above a node."""
    if panel is None or panel.kind != NODE:
        return None
    rows = {row.path: row for row in desk.tree}
    above = [rows[panel.path[:length]].label for length in range(2, len(panel.path), 2) if panel.path[:length] in rows]
    return Label(" › ".join(each.zh for each in above), " › ".join(each.en for each in above)) if above else None


def _figures(desk: Desk) -> list[tuple[str, Label, int]]:
    """(name, label, faults) of the rule's figures."""
    return [
        (panel.name, panel.title(desk.ground), len(desk.faults_by_panel.get(panel.key, ())))
        for panel in panels_of(desk.ground)
        if panel.kind == FIGURE
    ]


def _categories(desk: Desk, panel: Panel | None, form: Any) -> list[tuple[str, Label]] | None:
    """The codes that a node's value can have."""
    if panel is None or panel.kind != NODE or form is None:
        return None
    return previews.codes_of(desk, form.data)


def _has_no_rows(data: dict[str, Any]) -> bool:
    return not data.get("bands" if data["shape"] == "bands" else "points")
