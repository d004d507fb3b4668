"""``score``: the shapes by which a value becomes 0 to 100 points, one set of fields for all."""

from __future__ import annotations

from typing import Any

from wtforms import Form

from app.entity.labels import Label
from app.rules.node_parsing import SHAPES
from app.rules.problems import PathSteps

from .documents import ABSENT
from .fields import choice, put_at, rows, text, tick
from .values import expression_value, number_value, text_of

OBSERVED, NONE = "observed", ""
KINDS = {
    "target": Label("达标", "Target"),
    "range": Label("区间", "Range"),
    "bands": Label("分段", "Bands"),
    "curve": Label("折线", "Curve"),
    "categories": Label("类别", "Categories"),
    "percentile": Label("同类分位", "Percentile"),
    "observed": Label("全体高低", "Lowest to highest"),
    "zscore": Label("标准分", "z-score"),
    "formula": Label("公式", "Formula"),
    NONE: Label("直接作为得分", "The value itself"),
}
HINTS = {
    "target": Label("达到目标得满分，不足的按比例得分。", "Full marks at the target, in proportion below."),
    "range": Label(
        "一端得 0 分，另一端得满分，其间按比例。越少越好的，把大的数写在 0 分一端。",
        "0 at one end, full marks at the other, in proportion. Where less is better, put the greater number at 0.",
    ),
    "bands": Label("达到哪一段就得哪一段的分。", "The score of the last band that is reached."),
    "curve": Label("各点之间按直线过渡，两端之外不再增减。", "Straight lines between the points, flat outside."),
    "categories": Label(
        "每个类别一个分数，没有列出的视为没有数据。", "A score for each category; others count as missing."
    ),
    "percentile": Label(
        "超过多少同类得多少分，相同的各算一半。", "The share of peers below, equal ones counting half."
    ),
    "observed": Label("全体中最低的得 0 分，最高的得满分。", "0 for the lowest of all, full marks for the highest."),
    "zscore": Label(
        "同类平均水平得 50 分，每高一个标准差加 10 分。", "50 at the peers' mean, 10 more per standard deviation."
    ),
    "formula": Label("用算式写出得分，其中 value 是取得的数值。", "The score as a formula; value is the figure."),
    NONE: Label("数值本身就是 0 到 100 的得分。", "The value is a score of 0 to 100 already."),
}


class PairForm(Form):
    """A band or a point of a curve."""

    start = text(Label("达到", "From"), inputmode="decimal")
    score = text(Label("得分", "Score"), inputmode="decimal")


class CategoryForm(Form):
    code = text(Label("类别", "Category"))
    score = text(Label("得分", "Score"), inputmode="decimal")


class ShapeFields(Form):
    """The fields of every shape; ``shape`` says which of them count."""

    shape = choice(Label("得分方式", "How it scores"))
    target = text(Label("目标", "Target"))
    low = text(Label("得 0 分的数", "0 points at"))
    high = text(Label("得满分的数", "Full marks at"))
    logarithmic = tick(Label("取对数后按比例（差距很大时用）", "In proportion of logarithms, for figures far apart"))
    bands = rows(PairForm, Label("分段", "Bands"))
    points = rows(PairForm, Label("折线上的点", "Points"))
    categories = rows(CategoryForm, Label("类别", "Categories"))
    formula = text(Label("得分公式", "Formula of the score"))
    reverse = tick(Label("反过来计：100 减去所得分数", "The other way round: 100 minus the score"))
    reverse_beside = tick(Label("", ""))
    """Whether ``reverse: true`` stands beside ``score`` rather than in it; kept as it was found."""


def read(node: dict[str, Any]) -> dict[str, Any]:
    score = node.get("score")
    score = score if isinstance(score, dict) else {}
    beside, inside = node.get("reverse") is True, score.get("reverse") is True
    found = next((key for key in SHAPES if key in score), NONE)
    data: dict[str, Any] = {
        "shape": OBSERVED if found == "range" and score["range"] == OBSERVED else found,
        "target": text_of(score.get("target")),
        "formula": text_of(score.get("formula")),
        "logarithmic": score.get("scale") == "log",
        "bands": _pairs(score.get("bands")),
        "points": _pairs(score.get("curve")),
        "categories": [],
        "low": "",
        "high": "",
        "reverse": beside != inside,
        "reverse_beside": beside,
    }
    ends = score.get("range")
    if isinstance(ends, list) and len(ends) == 2:
        data["low"], data["high"] = map(text_of, ends)
    scores = score.get("categories")
    if isinstance(scores, dict):
        data["categories"] = [{"code": str(code), "score": text_of(each)} for code, each in scores.items()]
    return data


def write(data: dict[str, Any]) -> dict[str, Any]:
    """``score`` and ``reverse`` of a node."""
    kind, beside = data.get("shape") or NONE, bool(data.get("reverse_beside"))
    score: dict[str, Any] = {}
    match kind:
        case "target" | "formula":
            score[kind] = _expected(expression_value(data.get(kind)))
        case "range":
            score["range"] = [_expected(expression_value(data.get(end))) for end in ("low", "high")]
        case "observed":
            score["range"] = OBSERVED
        case "bands":
            score["bands"] = _written(data.get("bands"))
        case "curve":
            score["curve"] = _written(data.get("points"))
        case "categories":
            score["categories"] = {
                each["code"].strip(): _expected(number_value(each.get("score")))
                for each in data.get("categories") or ()
                if (each.get("code") or "").strip()
            }
        case "percentile" | "zscore":
            score[kind] = True
    if kind in ("range", OBSERVED) and data.get("logarithmic"):
        score["scale"] = "log"
    if bool(data.get("reverse")) != beside:
        score["reverse"] = True
    return {"score": score or ABSENT, "reverse": beside or ABSENT}


def _expected(value: Any) -> Any:
    """An empty text where a value has to stand, so that the check says what is missing."""
    return "" if value is ABSENT else value


def _pairs(value: Any) -> list[dict[str, str]]:
    pairs = value if isinstance(value, list) else []
    return [
        {"start": text_of(pair[0]), "score": text_of(pair[1])}
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2
    ]


def _written(pairs: Any) -> list[list[Any]]:
    """Rows in which something was typed, as pairs."""
    written = [[number_value(pair.get("start")), number_value(pair.get("score"))] for pair in pairs or ()]
    return [
        [_expected(start), _expected(score)] for start, score in written if start is not ABSENT or score is not ABSENT
    ]


def prepare(form: Any, path: PathSteps) -> None:
    """Where the fields stand below the node at ``path``."""
    form.shape.choices = list(KINDS.items())
    put_at(
        form,
        path,
        shape="score",
        target=("score", "target"),
        low=("score", "range", 0),
        high=("score", "range", 1),
        logarithmic=("score", "scale"),
        bands=("score", "bands"),
        points=("score", "curve"),
        categories=("score", "categories"),
        formula=("score", "formula"),
        reverse="reverse",
    )
    for name, key in (("bands", "bands"), ("points", "curve")):
        for position, entry in enumerate(getattr(form, name)):
            put_at(entry.form, (*path, "score", key, position), start=0, score=1)
    for entry in form.categories:
        put_at(
            entry.form,
            (*path, "score", "categories"),
            code=entry.form.code.data or "",
            score=entry.form.code.data or "",
        )
