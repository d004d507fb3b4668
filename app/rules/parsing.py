"""From the bytes of a rule file to an ``Index`` or ``Warning``, or to what is wrong with it.

Parsing refuses what has no meaning by itself: wrong keys, wrong types, unknown entities, fields, codes and rules.
Whether the parts make sense together is asked by ``app.rules.checking``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from app.entity.labels import Label
from app.entity.periods import PeriodKind
from app.entity.registry import Registry, registry

from .adjustable import parse_adjustable
from .bounds import NOTHING_ADJUSTABLE
from .expression_parser import Threshold
from .expressions import Expression
from .metric_parsing import Surroundings, parse_metrics, parse_parameters
from .model import ROOT_CODE, SEVERITY, Combine, Index, Light, LightRule, Missing, Node, Rule, Warning
from .node_parsing import parse_adjustments, parse_conditions, parse_roll_up, parse_tree, parse_veto
from .problems import Problem, faults
from .reading import Place, Report
from .result_columns import Catalogue, IndexResults
from .source import Mapping, Part, Scalar, Sequence, read

COMMON_KEYS = (
    "label",
    "subject",
    "applies_to",
    "period",
    "parameters",
    "metrics",
    "recover",
    "effective_from",
    "basis",
)
INDEX_KEYS = (
    "index",
    *COMMON_KEYS,
    "peers",
    "scale",
    "decimals",
    "weights",
    "combine",
    "missing",
    "tree",
    "bonus",
    "penalty",
    "bonus_at_most",
    "penalty_at_most",
    "bounds",
    "veto",
    "roll_up",
    "lights",
    "grades",
    "min_coverage",
    "adjustable",
)
WARNING_KEYS = ("warning", *COMMON_KEYS, "value", "reading", "levels", "handle_within", "notify")
RECIPIENTS = ("self", "handler", "secretary", "parent", "street", "district", "city")
FOLDERS = {"indices": "index", "warnings": "warning"}
READING_NAMES = ("value", "percent")
"""What the ``reading`` of a warning may name: the value, and the value times 100 with its sign."""
MAXIMUM_DECIMALS = 9
MAXIMUM_BYTES = 1_000_000

_HANDLE_WITHIN = re.compile(r"([1-9]\d{0,3})d")


@dataclass(frozen=True)
class ParsedRule:
    """A rule file that was read. ``rule`` is None when it has faults; ``root`` when it is not even YAML."""

    file: str
    rule: Rule | None
    root: Part | None
    problems: list[Problem] = field(default_factory=list)
    attempt: Rule | None = None
    """What could be made of a file with faults, harmless stand-ins in their place: for pages that show a draft while it
    is written, never for evaluation."""


def content_version(content: bytes) -> str:
    """The version of a rule: SHA-256 of its file's bytes."""
    return hashlib.sha256(content).hexdigest()


def read_file(content: bytes, file: str) -> tuple[Part | None, list[Problem]]:
    """The parts of a file of rules or rule tests. What was read lately is remembered: parts never change."""
    part, problems = _read_file(content, file)
    return part, list(problems)


@lru_cache(maxsize=256)
def _read_file(content: bytes, file: str) -> tuple[Part | None, list[Problem]]:
    if len(content) > MAXIMUM_BYTES:
        return None, [Problem(file, 1, "", Label("文件超过 1 MB", "The file is larger than 1 MB"))]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [Problem(file, line, "", Label("文件必须是 UTF-8 编码", "The file has to be encoded as UTF-8"))]
    return read(text, file)


def results_of(root: Part | None, file: str) -> IndexResults | str | None:
    """What a file announces to other rules, whatever its faults: an index with its nodes, or a warning's code."""
    code = PurePosixPath(file).stem
    if not isinstance(root, Mapping):
        return None
    if root.get("warning") is not None:
        return code
    if root.get("index") is None:
        return None
    subject = root.get("subject")
    return IndexResults(code, subject.text if isinstance(subject, Scalar) else "", tuple(_node_codes(root.get("tree"))))


def _node_codes(part: Part | None) -> Iterator[str]:
    for item in part.items if isinstance(part, Sequence) else ():
        if isinstance(item, Mapping):
            code = item.get("code")
            if isinstance(code, Scalar):
                yield code.text
            yield from _node_codes(item.get("children"))


def parse_rule(
    content: bytes, file: str, *, catalogue: Catalogue | None = None, entities: Registry = registry
) -> ParsedRule:
    """Read one rule file. ``file`` is its path in the rules folder: ``indices/organization_strength.yaml``.

    ``catalogue`` are the rules it may refer to, this one included; by default this one alone.
    """
    root, problems = read_file(content, file)
    if root is None:
        return ParsedRule(file, None, None, problems)
    if catalogue is None:
        own = results_of(root, file)
        catalogue = Catalogue(
            {own.code: own} if isinstance(own, IndexResults) else {},
            frozenset({own} if isinstance(own, str) else ()),
        )
    report = Report(file, root)
    rule = _rule(Place(root, (), report), content, catalogue, entities)
    return ParsedRule(file, None if faults(report.problems) else rule, root, report.problems, rule)


def _rule(place: Place, content: bytes, catalogue: Catalogue, entities: Registry) -> Rule | None:
    path = PurePosixPath(place.report.file)
    given = place.entries("{index: …} / {warning: …}")
    kinds = [kind for kind in ("index", "warning") if kind in given]
    if len(kinds) != 1:
        if place.is_mapping:
            place.fault("文件要以 index: 或 warning: 说明是什么", "a file says what it is with index: or warning:")
        return None
    kind = kinds[0]
    if FOLDERS.get(path.parent.name, kind) != kind:
        given[kind].fault(
            f"{kind} 不放在 {path.parent.name}/ 里", f"{kind}: does not belong into the folder {path.parent.name}/"
        )
    required = ("subject", "tree") if kind == "index" else ("subject", "levels")
    keys = place.fields(INDEX_KEYS if kind == "index" else WARNING_KEYS, required)
    code = keys[kind].code()
    if code and code != path.stem:
        keys[kind].fault(
            f"代码“{code}”要和文件名“{path.stem}”一致", f"the code “{code}” has to be the file's name, “{path.stem}”"
        )
    around = _surroundings(keys, catalogue, entities)
    common: dict[str, Any] = {
        "code": code,
        "label": keys["label"].label() if "label" in keys else Label.of(code),
        "subject": around.subject or "",
        "file": place.report.file,
        "version": content_version(content),
        "source_text": content.decode("utf-8-sig"),
        "applies_to": parse_conditions(keys["applies_to"], around) if "applies_to" in keys else (),
        "period": around.period,
        "parameters": parse_parameters(keys["parameters"]) if "parameters" in keys else (),
        "metrics": parse_metrics(keys["metrics"], around) if "metrics" in keys else (),
        "recover": keys["recover"].number(least=0) if "recover" in keys else 0.0,
        "effective_from": keys["effective_from"].day() if "effective_from" in keys else None,
        "basis": keys["basis"].label() if "basis" in keys else None,
    }
    _refuse_shared_names(keys, common)
    return Index(**common, **_index(keys, around)) if kind == "index" else Warning(**common, **_warning(keys))


def _surroundings(keys: dict[str, Place], catalogue: Catalogue, entities: Registry) -> Surroundings:
    subject = keys["subject"].word([entity.code for entity in entities]) if "subject" in keys else ""
    period = keys["period"].choice(PeriodKind) if "period" in keys else None
    return Surroundings(entities, catalogue, subject if subject in entities else None, period)


def _refuse_shared_names(keys: dict[str, Place], common: dict[str, Any]) -> None:
    metrics = {metric.name for metric in common["metrics"]}
    for parameter in common["parameters"]:
        if parameter.name in metrics:
            keys["parameters"].fault(
                f"“{parameter.name}”既是参数又是指标",
                f"“{parameter.name}” is both a parameter and a metric",
                parameter.name,
            )


def _index(keys: dict[str, Place], around: Surroundings) -> dict[str, Any]:
    weights = keys["weights"].word(("points", "relative")) if "weights" in keys else "points"
    code = keys["index"].text()
    root = Node(
        ROOT_CODE,
        keys["label"].label() if "label" in keys else Label.of(code),
        children=parse_tree(keys["tree"], around) if "tree" in keys else (),
        combine=keys["combine"].choice(Combine) if "combine" in keys else Combine.ARITHMETIC,
        missing=keys["missing"].choice(Missing) if "missing" in keys else Missing.SKIP,
        line=1,
    )
    return {
        "root": root,
        "peers": tuple(item.text() for item in keys["peers"].one_or_several()) if "peers" in keys else (),
        "scale": _interval(keys["scale"], strict=True) if "scale" in keys else (0.0, 100.0),
        "decimals": keys["decimals"].integer(0, MAXIMUM_DECIMALS) if "decimals" in keys else None,
        **parse_adjustments(keys),
        "bonus_at_most": keys["bonus_at_most"].number(least=0) if "bonus_at_most" in keys else None,
        "penalty_at_most": keys["penalty_at_most"].number(least=0) if "penalty_at_most" in keys else None,
        "bounds": _interval(keys["bounds"], strict=False) if "bounds" in keys else None,
        "veto": parse_veto(keys["veto"]) if "veto" in keys else (),
        "roll_up": parse_roll_up(keys["roll_up"]) if "roll_up" in keys else None,
        "lights": _lights(keys["lights"]) if "lights" in keys else (),
        "grades": _grades(keys["grades"]) if "grades" in keys else (),
        "min_coverage": keys["min_coverage"].number(0, 1) if "min_coverage" in keys else 0.0,
        "weights_are_points": weights != "relative",
        "adjustable": parse_adjustable(keys["adjustable"]) if "adjustable" in keys else NOTHING_ADJUSTABLE,
    }


def _interval(place: Place, *, strict: bool) -> tuple[float, float]:
    pair = place.pair()
    if pair is None:
        return (0.0, 100.0)
    low, high = pair[0].number(), pair[1].number()
    if low > high or (strict and low == high):
        place.fault(f"{low:g} 要小于 {high:g}", f"{low:g} has to be less than {high:g}")
    return (low, high)


def _grades(place: Place) -> tuple[tuple[float, Label], ...]:
    pairs = [item.pair() for item in place.items()]
    return tuple((pair[0].number(), pair[1].label()) for pair in pairs if pair)


def _light_places(place: Place) -> dict[Light, Place]:
    """The values of a mapping by light, worst first."""
    places = place.fields([str(light) for light in SEVERITY])
    return {light: places[light] for light in SEVERITY if light in places}


def _lights(place: Place) -> tuple[LightRule, ...]:
    if place.is_mapping and not place.entries(""):
        place.fault("至少要有一种颜色", "at least one colour is needed")
    return tuple(_light(light, entry) for light, entry in _light_places(place).items())


def _light(light: Light, place: Place) -> LightRule:
    text: Threshold | Expression = place.light()
    if isinstance(text, Threshold):
        return LightRule(light, text.operator, text.operand, line=place.line)
    return LightRule(light, condition=text, line=place.line)


def _warning(keys: dict[str, Place]) -> dict[str, Any]:
    return {
        "value": keys["value"].expression() if "value" in keys else None,
        "reading": _reading(keys) if "reading" in keys else None,
        "levels": _lights(keys["levels"]) if "levels" in keys else (),
        "handle_within": _days_by_level(keys["handle_within"]) if "handle_within" in keys else {},
        "notify": {
            light: tuple(item.word(RECIPIENTS) for item in entry.one_or_several())
            for light, entry in (_light_places(keys["notify"]) if "notify" in keys else {}).items()
        },
    }


def _reading(keys: dict[str, Place]) -> Label:
    """Words with the value's place in them."""
    place = keys["reading"]
    if "value" not in keys:
        place.fault("没有 value，无从表述", "there is no value to put into words")
    words = place.label()
    for text in {words.zh, words.en} - {""}:
        without = text
        for name in READING_NAMES:
            without = without.replace(f"{{{name}}}", "")
        if without == text or "{" in without or "}" in without:
            place.fault(
                f"“{text}”要用 {{value}} 或 {{percent}} 标明数值的位置",
                f"“{text}” needs {{value}} or {{percent}} where the number stands",
            )
    return words


def _days_by_level(place: Place) -> dict[Light, int]:
    days: dict[Light, int] = {}
    for light, entry in _light_places(place).items():
        text = entry.text()
        if found := _HANDLE_WITHIN.fullmatch(text):
            days[light] = int(found[1])
        elif text:
            entry.fault(f"“{text}”不是期限；写作 30d", f"“{text}” is no time limit; write 30d")
    return days
