"""Pairwise comparison (AHP) of what stands below a node of a draft: judgements of one or several people, how consistent
they are, and the points they give beside today's. Judgements stand in the address; a click takes the points over."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.entity.labels import Label, UserError
from app.rules.ahp import ACCEPTABLE, LARGEST, Judgements, Weighing, weigh
from app.workshop import drafts
from app.workshop.models import EDITABLE, Draft

from ..pages.context import Page
from ..presentation import text
from . import weights
from .desk import Desk
from .editor import desk_of
from .forms.documents import part_at
from .forms.values import label_shown

MOST_PEOPLE = 9
ROOT = "-"
"""Stands for the index itself in addresses."""
STEP = 0.5
"""Points are given out in halves."""
SCALE = (
    *((str(number), float(number)) for number in range(9, 1, -1)),
    ("1", 1.0),
    *((f"1/{number}", 1 / number) for number in range(2, 10)),
)
WORDS = {
    "9": Label("极端重要", "extremely more"),
    "7": Label("强烈重要", "very strongly more"),
    "5": Label("明显重要", "strongly more"),
    "3": Label("稍微重要", "moderately more"),
    "1": Label("同等重要", "alike"),
    "1/3": Label("稍微次要", "moderately less"),
    "1/5": Label("明显次要", "strongly less"),
    "1/7": Label("强烈次要", "very strongly less"),
    "1/9": Label("极端次要", "extremely less"),
}
TAKEN = Label("新的分值已写入草稿", "The points were taken into the draft")


@dataclass(frozen=True)
class Child:
    """One of what is compared. ``points``: today's."""

    code: str
    label: Label
    points: float


class WeighingPage(Page):
    """两两比较."""

    route_base = "/workshop/weighing"
    default_view = "show"
    class_permission_name = "Rule"
    method_permission_name = {"show": "edit", "take": "edit"}

    @expose("/<int:draft_id>/<code>")
    @has_access
    def show(self, draft_id: int, code: str) -> str:
        draft = self._draft(draft_id)
        desk = desk_of(draft)
        children = _children(desk, code)
        people = min(max(request.args.get("people", 1, type=int), 1), MOST_PEOPLE)
        pairs = list(itertools.combinations(children, 2))
        judged = [_judged(request.args, person, pairs) for person in range(people)]
        open_pairs = [pair for pair in pairs if not any((pair[0].code, pair[1].code) in each for each in judged)]
        found = weigh([child.code for child in children], judged) if not open_pairs else None
        labels = {child.code: child.label for child in children}
        whole = sum(child.points for child in children) or weights.WHOLE
        return self.render_template(
            "workshop/weighing.html",
            title=Label("两两比较定权重", "Weights by pairwise comparison"),
            rule=desk.parsed.attempt.label if desk.parsed.attempt else Label(desk.code, desk.code),
            draft=draft,
            parents=_parents(desk),
            chosen=code,
            people=people,
            most_people=MOST_PEOPLE,
            pairs=pairs,
            judged=judged,
            scale=[(written, value, WORDS.get(written)) for written, value in SCALE],
            open_count=len(open_pairs),
            found=found,
            acceptable=ACCEPTABLE,
            rows=list(zip(children, _points(found, children, whole), strict=True)) if found else [],
            worst=[(labels[each.one], labels[each.other], each) for each in found.least_consistent] if found else [],
            take_url=url_for("WeighingPage.take", draft_id=draft_id, code=code) if draft.state in EDITABLE else None,
            edit_url=url_for("WorkshopEditor.edit", draft_id=draft_id),
            address=lambda node: url_for("WeighingPage.show", draft_id=draft_id, code=node),
        )

    @expose("/<int:draft_id>/<code>", methods=["POST"])
    @has_access
    def take(self, draft_id: int, code: str) -> Response:
        """The points that the judgements gave, into the draft."""
        draft = self._draft(draft_id)
        desk = desk_of(draft)
        path = desk.path_of(code) if code != ROOT else ()
        given = []
        for place, node in enumerate(_nodes(desk, code)):
            points = request.form.get(f"points.{node.get('code')}", type=float)
            if points is not None and points >= 0:
                given.append(((*path, "children" if path else "tree", place), weights.plain(points)))
        try:
            revision = request.form.get("revision", 0, type=int)
            drafts.save(self.session, draft, self._user_id(), revision, desk.with_weights(given))
            flash(text(TAKEN), "success")
        except UserError as error:
            flash(text(error.label), "danger")
        return redirect(url_for("WorkshopEditor.edit", draft_id=draft_id))

    def _draft(self, draft_id: int) -> Draft:
        draft = drafts.draft_for(self.session, draft_id, self._user_id())
        if draft is None or draft.rule_kind != "index":
            raise NotFound
        return draft

    def _user_id(self) -> int:
        if self.actor.user_id is None:
            raise NotFound
        return self.actor.user_id


def _nodes(desk: Desk, code: str) -> list[dict[str, Any]]:
    """What stands below a node, or the dimensions. 404 for a node that has nothing below it."""
    if code == ROOT:
        found = desk.document.get("tree")
    else:
        try:
            found = part_at(desk.document, desk.path_of(code)).get("children")
        except UserError:
            raise NotFound from None
    if not isinstance(found, list):
        raise NotFound
    return [each for each in found if isinstance(each, dict)]


def _children(desk: Desk, code: str) -> list[Child]:
    """Those that count, two to fifteen; else 404."""
    found = [
        Child(str(node.get("code")), label_shown(node.get("label") or node.get("code")), weights.numbers([node])[0])
        for node in _nodes(desk, code)
        if node.get("enabled") is not False
    ]
    if not 2 <= len(found) <= LARGEST:
        raise NotFound
    return found


def _parents(desk: Desk) -> list[tuple[str, Label]]:
    """Where there is something to compare: (code, label)."""
    found = [(ROOT, Label("各维度之间", "The dimensions"))]
    found += [(row.code, row.label) for row in desk.tree if row.is_parent]
    return [(code, label) for code, label in found if 2 <= _counting(desk, code) <= LARGEST]


def _counting(desk: Desk, code: str) -> int:
    return sum(node.get("enabled") is not False for node in _nodes(desk, code))


def _judged(typed: Mapping[str, str], person: int, pairs: list[tuple[Child, Child]]) -> Judgements:
    """One person's judgements; those off the scale do not count."""
    scale = dict(SCALE)
    given = {(one.code, other.code): typed.get(f"j.{person}.{one.code}.{other.code}", "") for one, other in pairs}
    return {pair: scale[written] for pair, written in given.items() if written in scale}


def _points(found: Weighing, children: list[Child], whole: float) -> list[float]:
    """The weights as points that add up to what the children have together now."""
    shares = [found.weights[child.code] for child in children]
    units = round(whole / STEP)
    if abs(units * STEP - whole) > weights.TOLERANCE:
        return [round(share * whole, 2) for share in shares]
    return weights.in_steps(shares, units, STEP)
