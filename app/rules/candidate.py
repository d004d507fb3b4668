"""A text checked as if it stood in the rules folder, beside the rules that are in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.entity.registry import Registry, registry

from .adjustment_files import parse_adjustment
from .adjustments import misfits
from .library import checked, cycle_problem
from .model import Index, Rule
from .parsing import read_file, results_of
from .problems import Problem, faults
from .result_columns import Catalogue, IndexResults
from .rule_order import cycles, indices_read

ADJUSTMENT = "adjustment"
FOLDER_OF = {"index": "indices", "warning": "warnings", ADJUSTMENT: "adjustments"}


@dataclass(frozen=True)
class Candidate:
    """What became of a text. ``rule`` is None if it has faults."""

    rule: Rule | None
    problems: list[Problem] = field(default_factory=list)
    """Faults and hints of the text itself."""
    broken: list[Problem] = field(default_factory=list)
    """Faults that rules in force would have because of it: a node they read is gone, say."""

    @property
    def is_whole(self) -> bool:
        """Whether it could come into force."""
        return self.rule is not None and not self.broken


def file_of(kind: str, code: str) -> str:
    """The path of a rule's file in the rules folder. ``kind``: index, warning or adjustment."""
    return f"{FOLDER_OF[kind]}/{code}.yaml"


def check_candidate(
    text: str, kind: str, code: str, in_force: Mapping[str, Rule], entities: Registry = registry
) -> Candidate:
    """Check the text of a rule against the rules in force, by code; the one that it would replace may be among them."""
    content, file = text.encode(), file_of(kind, code)
    if kind == ADJUSTMENT:
        return _check_adjustment(content, file, in_force)
    others = {name: rule for name, rule in in_force.items() if name != code}
    catalogue = Catalogue.of(others.values())
    root, _ = read_file(content, file)
    announced = results_of(root, file)
    if isinstance(announced, IndexResults):
        catalogue = Catalogue({**catalogue.indices, announced.code: announced}, catalogue.warnings)
    elif announced is not None:
        catalogue = Catalogue(catalogue.indices, catalogue.warnings | {announced})
    parsed = checked(content, file, catalogue, entities)
    if parsed.rule is None or faults(parsed.problems):
        return Candidate(None, sorted(parsed.problems, key=lambda problem: problem.order))
    problems = list(parsed.problems)
    for circle in cycles([*others.values(), parsed.rule]):
        if code in circle:
            problems.append(cycle_problem(parsed.rule, circle))
    broken = [
        problem
        for other in others.values()
        if code in indices_read(other)
        for problem in faults(checked(other.source_text.encode(), other.file, catalogue, entities).problems)
    ]
    rule = None if faults(problems) else parsed.rule
    return Candidate(rule, sorted(problems, key=lambda problem: problem.order), broken)


def _check_adjustment(content: bytes, file: str, in_force: Mapping[str, Rule]) -> Candidate:
    parsed = parse_adjustment(content, file)
    problems = list(parsed.problems)
    if parsed.adjustment is not None:
        base = in_force.get(parsed.adjustment.base)
        problems += misfits(parsed.adjustment, base if isinstance(base, Index) else None, parsed.root)
    return Candidate(None if faults(problems) else parsed.adjustment, problems)
