"""What is absurd although it is allowed: said in words before anyone can publish it."""

from __future__ import annotations

import polars as pl

from app.entity.labels import Label
from app.rules.context import Context
from app.rules.expressions import Arithmetic, Expression, names, walk
from app.rules.frames import expressions_of_node
from app.rules.model import SEVERITY, Figure, Index, Light, Rule, Warning
from app.rules.rule_figures import APPLIES, Figures

MANY = 0.5
"""A share of subjects that change their light which is worth a word."""

_LIGHT_NAMES = {
    Light.RED: Label("红灯", "red"),
    Light.ORANGE: Label("橙灯", "orange"),
    Light.YELLOW: Label("黄灯", "yellow"),
    Light.BLUE: Label("蓝灯", "blue"),
    Light.GREEN: Label("绿灯", "green"),
}


def oddities_of(
    rule: Rule, subjects: pl.DataFrame, context: Context, results: pl.DataFrame, compared: pl.DataFrame
) -> tuple[Label, ...]:
    """``subjects`` and ``results`` are those of all, by the new version; ``compared`` those in scope."""
    if results.is_empty():
        return (Label("没有任何对象适用这条规则", "The rule applies to nobody"),)
    found = list(_of_index(rule, subjects, context, results) if isinstance(rule, Index) else _of_warning(rule, results))
    moved = compared.filter((pl.col("light_before") != pl.col("light_after")) & (pl.col("light_before") != "none"))
    if compared.height > 1 and moved.height > MANY * compared.height:
        share = round(100 * moved.height / compared.height)
        found.append(Label(f"{share}% 的对象会变灯", f"{share} % change their light"))
    return tuple(found)


def _of_index(rule: Index, subjects: pl.DataFrame, context: Context, results: pl.DataFrame) -> list[Label]:
    found = []
    scores = results["score"].drop_nulls()
    if scores.is_empty():
        found.append(Label("所有对象都没有得分", "Nobody has a score"))
    elif scores.len() > 1 and scores.max() - scores.min() <= 1e-9:
        shown = f"{scores[0]:.2f}"
        found.append(Label(f"所有对象得分相同：{shown} 分", f"All scores are the same: {shown}"))
    lit = results.filter(pl.col("score").is_not_null())["light"].unique()
    if scores.len() > 1 and lit.len() == 1 and lit[0] in SEVERITY:
        name = _LIGHT_NAMES[Light(lit[0])]
        found.append(Label(f"所有对象都亮{name.zh}", f"Everybody is {name.en}"))
    figures = Figures(rule, subjects, context)
    for node in rule.root.walk():
        if node.children or node is rule.root:
            continue
        applying = results.filter(pl.col(f"{node.code}.reason") != 1)
        if applying.is_empty():
            found.append(Label(f"“{node.label.zh}”不适用于任何对象", f"“{node.label.en}” applies to nobody"))
            continue
        if applying[f"{node.code}.value"].is_null().all():
            why = Label("除数对所有对象都是 0 或缺失", "the divisor is 0 or missing for everybody")
            if not _divides_by_nothing(figures, rule, [*expressions_of_node(node)]):
                why = Label("所有对象都没有数据", "nobody has data")
            found.append(Label(f"“{node.label.zh}”算不出来：{why.zh}", f"“{node.label.en}” has no value: {why.en}"))
            continue
        own = applying[f"{node.code}.score"].drop_nulls()
        if own.len() > 1 and own.max() - own.min() <= 1e-9:
            shown = f"{own[0]:.0f}"
            found.append(
                Label(
                    f"“{node.label.zh}”给所有对象同样的 {shown} 分，分不出高低",
                    f"“{node.label.en}” gives everybody {shown}: it tells nobody apart",
                )
            )
    for veto in rule.veto:
        held = results[f"{veto.code}.held"].fill_null(False)
        if held.len() > 1 and held.all():
            found.append(Label(f"“{veto.label.zh}”否决了所有对象", f"“{veto.label.en}” vetoes everybody"))
    return found


def _of_warning(rule: Rule, results: pl.DataFrame) -> list[Label]:
    assert isinstance(rule, Warning)
    levels = results["level"]
    if levels.len() > 1 and (levels == Light.NO_DATA).fill_null(False).all():
        return [Label("所有对象都没有数据，预警永远不会亮", "Nobody has data: the warning never lights")]
    if levels.len() > 1 and levels.is_not_null().all() and levels.n_unique() == 1:
        name = _LIGHT_NAMES[Light(levels[0])]
        return [Label(f"所有对象都亮{name.zh}", f"Everybody is {name.en}")]
    return []


def _divides_by_nothing(figures: Figures, rule: Rule, expressions: list[Expression]) -> bool:
    """Whether a divisor in one of the expressions, or in a figure that they name, is 0 or missing for everybody."""
    frame = figures.frame.filter(APPLIES)
    computed = {metric.name: metric.expression for metric in rule.metrics if isinstance(metric, Figure)}
    named = {name for expression in expressions for name in names(expression)}
    expressions = [*expressions, *(computed[name] for name in named & computed.keys())]
    for expression in expressions:
        for part in walk(expression):
            if isinstance(part, Arithmetic) and part.operator == "/":
                divisor = frame.select(figures.compiler.number(part.right).alias("divisor"))["divisor"]
                if divisor.is_null().all() or (divisor.fill_null(0.0) == 0.0).all():
                    return True
    return False
