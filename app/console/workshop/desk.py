"""A draft while it is worked on: its text, what it says, what is wrong with it; and every change made in the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.entity.labels import Label, UserError
from app.rules import editing
from app.rules.library import RuleLibrary
from app.rules.model import Rule
from app.rules.parsing import ParsedRule, read_file
from app.rules.problems import PathSteps, Problem, faults
from app.rules.sentences import Vocabulary
from app.rules.source import plain

from . import weights
from .faults import by_panel, checked, in_words
from .forms.documents import part_at
from .forms.ground import FormGround
from .forms.panels import GENERAL, NODE, Panel, nodes, panel_of
from .forms.values import number_value
from .weights import TreeRow, tree_rows

FOLDER = {"index": "indices", "warning": "warnings"}
ONLY_TEXT = Label(
    "文本现在不是有效的 YAML，表单打不开。请在文本里改正，表单随后恢复。",
    "The text is no valid YAML now, so there are no forms. Mend it in the text, and the forms are back.",
)


@dataclass(frozen=True)
class Desk:
    """A rule's text among the rules in force. ``base``: the text that the draft began with, None for a new rule."""

    kind: str
    code: str
    text: str
    base: str | None
    library: RuleLibrary

    @property
    def file(self) -> str:
        return f"{FOLDER[self.kind]}/{self.code}.yaml"

    @cached_property
    def rules(self) -> dict[str, Rule]:
        return self.library.rules()

    @cached_property
    def parsed(self) -> ParsedRule:
        return checked(self.text, self.file, self.rules)

    @cached_property
    def document(self) -> dict[str, Any]:
        """What the text says; empty for one that is no YAML."""
        found = plain(self.parsed.root) if self.parsed.root is not None else {}
        return found if isinstance(found, dict) else {}

    @cached_property
    def published(self) -> dict[str, Any] | None:
        """What the base said."""
        if self.base is None:
            return None
        root, _ = read_file(self.base.encode(), self.file)
        found = plain(root) if root is not None else None
        return found if isinstance(found, dict) else None

    @cached_property
    def ground(self) -> FormGround:
        others = {code: rule for code, rule in self.rules.items() if code != self.code}
        return FormGround(self.document, self.parsed.attempt, others)

    @property
    def is_readable(self) -> bool:
        """Whether there can be forms."""
        return bool(self.document)

    @property
    def words(self) -> Vocabulary | None:
        return self.ground.words

    @property
    def problems(self) -> list[Problem]:
        return self.parsed.problems

    @cached_property
    def faults_by_panel(self) -> dict[str, list[Problem]]:
        return by_panel(self.problems, self.document)

    @property
    def fault_count(self) -> int:
        return len(faults(self.problems))

    def panel(self, key: str | None) -> Panel | None:
        """The panel of a key; without one the first that has a fault, else the first node, else the general one."""
        if key:
            return panel_of(key, self.ground)
        for candidate in self.faults_by_panel:
            if (found := panel_of(candidate, self.ground)) is not None:
                return found
        leaf = next((node for _, node in nodes(self.document) if "value" in node), None)
        return panel_of(f"{NODE}:{leaf['code']}" if leaf else GENERAL, self.ground)

    @cached_property
    def tree(self) -> list[TreeRow]:
        return tree_rows(
            self.document, self.published, {key: len(found) for key, found in self.faults_by_panel.items()}
        )

    @property
    def total(self) -> float:
        return weights.total_of(self.document)

    @property
    def whole(self) -> float | None:
        """What the dimensions should add up to: 100 if they did in the base, or in a new rule with points."""
        if self.kind != "index" or self.document.get("weights") == "relative":
            return None
        before = self.published if self.published is not None else self.document
        sums = weights.total_of(before)
        return weights.WHOLE if self.published is None or abs(sums - weights.WHOLE) < weights.TOLERANCE else None

    @property
    def unbalanced(self) -> list[tuple[TreeRow | None, float]]:
        """Where points are left to give out, or too many given: (node, how many); None for the dimensions together."""
        found: list[tuple[TreeRow | None, float]] = []
        if self.whole is not None and abs(self.whole - self.total) > weights.TOLERANCE:
            found.append((None, round(self.whole - self.total, 9)))
        return found + [(row, row.left) for row in self.tree if row.left]

    def messages(self) -> list[tuple[Label, str]]:
        """Every fault in words, with the panel where it is mended."""
        return [(in_words(problem), key) for key, found in self.faults_by_panel.items() for problem in found]

    # Changes: each gives the new text

    def with_document(self, document: dict[str, Any]) -> str:
        return editing.rewritten(self.text, document)

    def with_weights(self, given: Iterable[tuple[PathSteps, Any]]) -> str:
        """Other points of some nodes by path; points that are no number are written as they were typed."""
        text = self.text
        for path, weight in given:
            node = part_at(self.document, path)
            if weight is None or weight == "":
                if "weight" in node:
                    text = editing.remove(text, (*path, "weight"))
            elif node.get("weight") != weight or isinstance(node.get("weight"), bool):
                text = _with_weight(text, path, node, weight)
        return text

    def typed_weights(self, form: dict[str, str]) -> str:
        """The points as the tree's fields have them: ``weight-<code>``."""
        given = []
        for path, node in nodes(self.document):
            name = f"weight-{node.get('code')}"
            if name in form:
                value = number_value(form[name])
                given.append((path, value if form[name].strip() else None))
        return self.with_weights(given)

    def balanced(self, code: str, *, evenly: bool) -> str:
        path = self.path_of(code) if code else ()
        return self.with_weights(weights.balanced(self.document, path, evenly=evenly))

    def topped_up(self, code: str) -> str:
        """What is left of a node's parent given to it."""
        path = self.path_of(code)
        parent = path[:-2]
        left = weights.left_of(self.document, parent) if parent else (self.whole or 0) - self.total
        own = part_at(self.document, path).get("weight")
        own = own if isinstance(own, int | float) and not isinstance(own, bool) else 0
        return self.with_weights([(path, weights.plain(max(round(own + (left or 0), 9), 0.0)))])

    def path_of(self, code: str) -> PathSteps:
        """Where a node stands. Raises UserError if it is gone."""
        for path, node in nodes(self.document):
            if node.get("code") == code:
                return path
        raise UserError("这个指标已经不在了，请刷新页面", "That node is gone; reload the page")

    def moved(self, code: str, under: str) -> str:
        """A node at the end of another parent's children, or of the dimensions (``under`` empty)."""
        path, parent = self.path_of(code), self.path_of(under) if under else ()
        target = (*parent, "children") if parent else ("tree",)
        if part_at(self.document, target[:-1] if parent else ()) and not isinstance(
            part_at(self.document, target), list
        ):
            raise UserError("只能移到维度下面", "A node can be moved under a dimension only")
        return editing.move(self.text, path, target, len(part_at(self.document, target)))

    def shifted(self, code: str, by: int) -> str:
        """A node before (−1) or behind (1) its neighbour."""
        path = self.path_of(code)
        place = int(path[-1]) + by
        if not 0 <= place < len(part_at(self.document, path[:-1])):
            return self.text
        return editing.move(self.text, path, path[:-1], place)

    def without_node(self, code: str) -> str:
        """The text without a node. Raises UserError for the last one of its parent."""
        path = self.path_of(code)
        if len(part_at(self.document, path[:-1])) == 1:
            raise UserError(
                "这是最后一个，删去就空了；请连同上级一起删去，或停用它",
                "It is the last one; take out its parent instead, or switch it off",
            )
        return editing.remove(self.text, path)

    def switched(self, code: str, on: bool) -> str:
        return editing.set_enabled(self.text, self.path_of(code), on)

    def with_node(self, node: dict[str, Any], under: str) -> str:
        """The text with one more node at the end of a parent's children."""
        parent = self.path_of(under) if under else ()
        target = (*parent, "children") if parent else ("tree",)
        children = part_at(self.document, target)
        if not isinstance(children, list):
            raise UserError("指标要放在一个维度下面", "An indicator goes under a dimension")
        return editing.insert(self.text, target, len(children), node)

    def with_figure(self, name: str, metric: Any) -> str:
        """The text with one more metric, behind the others."""
        if not isinstance(self.document.get("metrics"), dict):
            text = editing.insert_key(
                self.text, (), "metrics", {name: metric}, before="tree" if self.kind == "index" else None
            )
        else:
            text = editing.insert_key(self.text, ("metrics",), name, metric)
        return text

    def without_figure(self, name: str) -> str:
        if len(self.document["metrics"]) == 1:
            return editing.remove(self.text, ("metrics",))
        return editing.remove(self.text, ("metrics", name))

    def free_name(self, wanted: str, taken: Callable[[], Iterable[str]]) -> str:
        """A name that nothing has yet, made from a wanted one."""
        base = re.sub(r"\W+", "_", wanted).strip("_").lower() or "item"
        base = f"n_{base}" if base[0].isdigit() else base
        known = set(taken())
        number, name = 2, base
        while name in known:
            name, number = f"{base}_{number}", number + 1
        return name

    def figure_names(self) -> set[str]:
        """What a new metric cannot be called."""
        metrics, parameters = self.document.get("metrics"), self.document.get("parameters")
        return {*(metrics if isinstance(metrics, dict) else ()), *(parameters if isinstance(parameters, dict) else ())}

    def node_codes(self) -> set[str]:
        return {str(node.get("code")) for _, node in nodes(self.document)}


def _with_weight(text: str, path: PathSteps, node: dict[str, Any], weight: Any) -> str:
    if "weight" in node:
        return editing.set_value(text, (*path, "weight"), weight)
    before = next((key for key in ("children", "value") if key in node), None)
    return editing.insert_key(text, path, "weight", weight, before=before)
