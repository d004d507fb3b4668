"""What every check of a rule stands on: its subject, the entities, the other rules, and where faults are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.entity.labels import Label
from app.entity.registry import EntityType, Registry

from .expression_types import Kind, Scope, Tell, Type, infer, require_truth
from .expressions import Expression
from .frames import is_filter
from .model import Condition
from .problems import PathSteps, Step
from .reading import Report, listed
from .result_columns import Catalogue

NO_PERIOD = Label("规则没有 period，不能用它", "the rule has no period, so it is not known")


@dataclass(frozen=True)
class Ground:
    """The surroundings of one rule's checks."""

    subject: EntityType
    entities: Registry
    catalogue: Catalogue
    report: Report
    has_period: bool

    def fault(self, steps: PathSteps, zh: str, en: str) -> None:
        self.report.add(steps, Label(zh, en))

    def hint(self, steps: PathSteps, zh: str, en: str) -> None:
        self.report.add(steps, Label(zh, en), is_hint=True)

    def tell_at(self, *steps: Step) -> Tell:
        """A listener for faults of the expression at a place."""

        def tell(position: int, label: Label) -> None:
            self.fault(steps, f"第 {position + 1} 个字符处：{label.zh}", f"at character {position + 1}: {label.en}")

        return tell

    def number(self, expression: Expression, place: PathSteps, scope: Scope) -> Type:
        """The type of an expression that has to be a number."""
        found = infer(expression, scope, self.tell_at(*place))
        if not found.is_numeric:
            self.fault(place, f"这里要数，而不是{found.kind.label.zh}", f"expected a number, not {found.kind.label.en}")
        return found

    def conditions(self, conditions: tuple[Condition, ...], place: PathSteps, scope: Scope) -> None:
        """``applies_to``: its filters were typed when they were read."""
        for position, condition in enumerate(conditions):
            if not is_filter(condition):
                # A single condition need not stand in a list; the line is found either way.
                steps = place if len(conditions) == 1 else (*place, position)
                require_truth(condition, scope, self.tell_at(*steps))

    def codes(self, values: Mapping[str, float], of: Type, place: PathSteps) -> None:
        """Keys that have to be values of a column or expression."""
        allowed = ("true", "false") if of.kind is Kind.TRUTH else of.codes
        for code in values:
            if allowed is not None and code not in allowed:
                self.fault(
                    (*place, code),
                    f"“{code}”不是它的代码；可用：{listed(allowed)}",
                    f"“{code}” is none of its codes; allowed: {listed(allowed)}",
                )

    def ascending(self, numbers: Sequence[float], place: PathSteps) -> None:
        """Bands, points and grades stand in ascending order."""
        for position in range(1, len(numbers)):
            here, before = numbers[position], numbers[position - 1]
            if here <= before:
                self.fault(
                    (*place, position),
                    f"次序不对：{here:g} 要大于前面的 {before:g}",
                    f"out of order: {here:g} has to be greater than {before:g} before it",
                )
