"""The tree of an index: nodes, the shapes of their scores, and what is added to or capped from the whole."""

from __future__ import annotations

from app.entity.labels import Label

from .expressions import Literal
from .metric_parsing import Surroundings
from .model import (
    Adjustment,
    Bands,
    Categories,
    Combine,
    Condition,
    Curve,
    Formula,
    Missing,
    Node,
    ObservedRange,
    Percentile,
    Range,
    RollUp,
    Shape,
    Target,
    Veto,
    ZScore,
)
from .reading import Place, listed

NODE_KEYS = (
    "code",
    "label",
    "weight",
    "children",
    "combine",
    "value",
    "score",
    "reverse",
    "missing",
    "applies_to",
    "enabled",
    "basis",
)
SHAPES = ("target", "range", "bands", "curve", "categories", "percentile", "zscore", "formula")


def parse_conditions(place: Place, around: Surroundings) -> tuple[Condition, ...]:
    """``applies_to``: a filter over the subject's columns, a condition, or a list of them that must all hold."""
    return tuple(
        item.filter(around.subject_columns, around.entities, around.period is not None)
        if item.is_mapping
        else item.expression()
        for item in place.one_or_several()
    )


def parse_tree(place: Place, around: Surroundings) -> tuple[Node, ...]:
    """The children of the root, with codes that are unique in the whole tree."""
    nodes = _nodes(place, around)
    _refuse_repeated([found for node in nodes for found in _with_places(node)])
    return tuple(node for node, _, _ in nodes)


_Placed = tuple[Node, Place, list["_Placed"]]


def _with_places(placed: _Placed) -> list[tuple[str, Place]]:
    node, place, below = placed
    return [(node.code, place), *(found for child in below for found in _with_places(child))]


def _refuse_repeated(coded: list[tuple[str, Place]]) -> None:
    seen: dict[str, Place] = {}
    for code, where in coded:
        if code and code in seen:
            where.fault(
                f"代码“{code}”重复（第 {seen[code].line} 行已有）",
                f"the code “{code}” stands twice (first in line {seen[code].line})",
                "code",
            )
        seen.setdefault(code, where)


def _nodes(place: Place, around: Surroundings) -> list[_Placed]:
    items = place.items()
    if not items:
        place.fault("至少要有一个节点", "at least one node is needed")
    nodes = [_node(item, around) for item in items]
    weighted = [node.weight is not None for node, _, _ in nodes]
    if any(weighted) and not all(weighted):
        without = listed(node.code for node, _, _ in nodes if node.weight is None)
        place.fault(
            f"同级节点要么都写 weight，要么都不写；没写的有：{without}",
            f"siblings have all a weight or none; without one: {without}",
        )
    elif any(weighted) and not any(node.weight for node, _, _ in nodes):
        place.fault("同级节点的 weight 不能全是 0", "the weights of siblings cannot all be 0")
    return nodes


def _node(place: Place, around: Surroundings) -> _Placed:
    keys = place.fields(NODE_KEYS, ("code",))
    code = keys["code"].code() if "code" in keys else ""
    if place.is_mapping and ("children" in keys) == ("value" in keys):
        place.fault("节点要么有 children，要么有 value", "a node has either children or a value")
    if "children" in keys and "score" in keys:
        keys["score"].fault("有 children 的节点不写 score", "a node with children takes no score")
    if "children" in keys and "reverse" in keys:
        keys["reverse"].fault("有 children 的节点不写 reverse", "a node with children takes no reverse")
    if "value" in keys and "combine" in keys:
        keys["combine"].fault("只有带 children 的节点才写 combine", "only a node with children takes combine")
    below = _nodes(keys["children"], around) if "children" in keys else []
    shape, reverse = parse_shape(keys["score"]) if "score" in keys else (None, False)
    node = Node(
        code,
        keys["label"].label() if "label" in keys else Label.of(code),
        keys["weight"].number(least=0) if "weight" in keys else None,
        tuple(child for child, _, _ in below),
        keys["combine"].choice(Combine) if "combine" in keys else Combine.ARITHMETIC,
        keys["value"].expression() if "value" in keys else None,
        shape,
        reverse != ("reverse" in keys and keys["reverse"].truth()),
        keys["missing"].choice(Missing) if "missing" in keys else Missing.SKIP,
        parse_conditions(keys["applies_to"], around) if "applies_to" in keys else (),
        "enabled" not in keys or keys["enabled"].truth(),
        keys["basis"].label() if "basis" in keys else None,
        place.line,
    )
    return node, place, below


def parse_shape(place: Place) -> tuple[Shape | None, bool]:
    """``score``: at most one shape, and whether it is reversed."""
    keys = place.fields((*SHAPES, "scale", "reverse"))
    shapes = [key for key in keys if key in SHAPES]
    reverse = "reverse" in keys and keys["reverse"].truth()
    if "scale" in keys:
        if "range" not in keys:
            keys["scale"].fault("scale 只和 range 一起用", "scale goes with range only")
        keys["scale"].word(("log",))
    if len(shapes) > 1 or (not shapes and "reverse" not in keys):
        place.fault(
            f"每个节点只写一种得分方式（{listed(SHAPES)}），这里有：{listed(shapes)}",
            f"expected one of {listed(SHAPES)}; found: {listed(shapes)}",
        )
    if not shapes:
        return None, reverse
    return _shape(shapes[0], keys[shapes[0]], keys), reverse


def _shape(name: str, place: Place, keys: dict[str, Place]) -> Shape:
    logarithmic = "scale" in keys and keys["scale"].text() == "log"
    match name:
        case "target":
            return Target(place.expression())
        case "formula":
            return Formula(place.expression())
        case "bands":
            return Bands(_steps(place, "[from, score]"))
        case "curve":
            return Curve(_steps(place, "[value, score]"))
        case "categories":
            return Categories({code: score.number() for code, score in place.entries("{code: score}").items()})
        case "percentile" | "zscore":
            if not place.truth():
                place.fault(f"写 {name}: true，或删去", f"write {name}: true, or leave it out")
            return Percentile() if name == "percentile" else ZScore()
    if place.is_text:
        place.word(("observed",))
        return ObservedRange(logarithmic)
    pair = place.pair()
    if pair is None:
        return ObservedRange(logarithmic)
    return Range(pair[0].expression(), pair[1].expression(), logarithmic)


def _steps(place: Place, form: str) -> tuple[tuple[float, float], ...]:
    pairs = [item.pair() for item in place.items()]
    if not pairs:
        place.fault(f"至少要写一对 {form}", f"at least one pair {form} is needed")
    return tuple((pair[0].number(), pair[1].number()) for pair in pairs if pair)


def parse_adjustments(places: dict[str, Place]) -> dict[str, tuple[Adjustment, ...]]:
    """The items under ``bonus`` and ``penalty``; their codes are unique in both together."""
    found: dict[str, tuple[Adjustment, ...]] = {}
    coded: list[tuple[str, Place]] = []
    for key in ("bonus", "penalty"):
        items = places[key].items() if key in places else []
        found[key] = tuple(_adjustment(item) for item in items)
        coded += [(item.code, place) for item, place in zip(found[key], items, strict=True)]
    _refuse_repeated(coded)
    return found


def _adjustment(place: Place) -> Adjustment:
    keys = place.fields(("code", "label", "value", "each", "at_most"), ("code", "value"))
    code = keys["code"].code() if "code" in keys else ""
    return Adjustment(
        code,
        keys["label"].label() if "label" in keys else Label.of(code),
        keys["value"].expression() if "value" in keys else Literal(0.0),
        keys["each"].number(least=0) if "each" in keys else 1.0,
        keys["at_most"].number(least=0) if "at_most" in keys else None,
        place.line,
    )


def parse_veto(place: Place) -> tuple[Veto, ...]:
    """The items under ``veto``."""
    items = place.items()
    vetoes = tuple(_veto(item) for item in items)
    _refuse_repeated([(veto.code, item) for veto, item in zip(vetoes, items, strict=True)])
    return vetoes


def _veto(place: Place) -> Veto:
    keys = place.fields(("code", "label", "when", "cap"), ("code", "when", "cap"))
    code = keys["code"].code() if "code" in keys else ""
    return Veto(
        code,
        keys["label"].label() if "label" in keys else Label.of(code),
        keys["when"].expression() if "when" in keys else Literal(False),
        keys["cap"].number() if "cap" in keys else 0.0,
        place.line,
    )


def parse_roll_up(place: Place) -> RollUp:
    """``{own: 0.3, children: 0.7, weight: members}``."""
    keys = place.fields(("own", "children", "weight"), ("own", "children"))
    shares = {key: keys[key].number(least=0) if key in keys else 1.0 for key in ("own", "children")}
    if not any(shares.values()):
        place.fault("own 和 children 不能都是 0", "own and children cannot both be 0")
    return RollUp(shares["own"], shares["children"], keys["weight"].text() if "weight" in keys else None)
