"""The rules in force: those of the rules folder, and of every broken file the last version that was whole.

A text that once was whole is kept in ``DATA_DIR/rules-in-force``, so that it outlasts a restart, with one file for each
day from which a version counts::

    rules-in-force/organization_strength/always.yaml        no effective_from
    rules-in-force/organization_strength/2026-07-01.yaml    effective_from: 2026-07-01

A new text takes the place of those that would count from the same day or later; for days before, those before it speak.
The same shape serves versions that are published some other way than by a file: they are put there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from app.entity.labels import Label, UserError
from app.entity.registry import Registry, registry

from .adjustment_files import FOLDER as ADJUSTMENTS_FOLDER
from .adjustment_files import Adjustments, parse_adjustment, read_adjustments
from .adjustments import LocalAdjustment, misfits
from .checking import check_rule
from .model import Index, Rule
from .parsing import FOLDERS, ParsedRule, parse_rule, read_file, results_of
from .problems import Problem, faults
from .result_columns import Catalogue, IndexResults
from .rule_order import cycles, in_order, indices_read

KEPT_FOLDER = "rules-in-force"
TESTS_FOLDER = "tests"
REFRESH_SECONDS = 1.0
"""How long what was read is trusted without looking at the files again."""
SETTLED_SECONDS = 2.0
"""A file changed so recently may change again without its size and time showing it."""

_ALWAYS = "always"
Contents = dict[str, bytes]
"""The rule files of a folder by their path in it."""


def rule_files(rules_dir: Path, folders: Collection[str] = tuple(FOLDERS)) -> list[str]:
    """The paths of the rule files in a folder, ``indices/…`` before ``warnings/…``."""
    return [
        f"{folder}/{path.name}"
        for folder in folders
        for path in sorted((rules_dir / folder).glob("*.yaml"))
        if path.is_file() and not path.name.startswith(".")
    ]


def read_contents(rules_dir: Path, folders: Collection[str] = tuple(FOLDERS)) -> Contents:
    """The bytes of every rule file; one that vanishes meanwhile is left out."""
    contents: Contents = {}
    for file in rule_files(rules_dir, folders):
        try:
            contents[file] = (rules_dir / file).read_bytes()
        except OSError:
            continue
    return contents


def misplaced(rules_dir: Path) -> list[Problem]:
    """Files that nobody reads although somebody meant them to be read."""
    if not rules_dir.is_dir():
        return [Problem("", 0, "", Label(f"没有规则文件夹 {rules_dir}", f"There is no rules folder {rules_dir}"))]
    places = [*FOLDERS, ADJUSTMENTS_FOLDER, TESTS_FOLDER]
    where = ", ".join(f"{place}/*.yaml" for place in places)
    return [
        Problem(
            path.relative_to(rules_dir).as_posix(),
            0,
            "",
            Label(f"这个文件不会被读取；规则放在 {where}", f"This file is not read; rules belong into {where}"),
        )
        for path in sorted(rules_dir.rglob("*.y*ml"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(rules_dir).parts)
        and (path.suffix != ".yaml" or path.parent not in [rules_dir / place for place in places])
    ]


def code_of(file: str) -> str:
    return Path(file).stem


@dataclass(frozen=True)
class Reading:
    """What became of a folder's files: the rules that are whole, the versions to go back to, and all problems."""

    rules: dict[str, Rule] = field(default_factory=dict)
    """By code: the file's own version, or the last whole one."""
    broken: frozenset[str] = frozenset()
    """The codes of files that are not in force as they stand."""
    problems: list[Problem] = field(default_factory=list)


def read_rules(contents: Contents, kept: Contents | None = None, entities: Registry = registry) -> Reading:
    """Parse and check all rule files together. ``kept``: the last whole text of each, for those that are broken.

    A broken file can break others, which name a node that only it would have had; so this goes on until what is left
    holds together.
    """
    kept = kept or {}
    broken: dict[str, list[Problem]] = _same_code_twice(contents)
    hints: dict[str, list[Problem]] = {}
    while True:
        catalogue = _catalogue(contents, kept, broken)
        rules: dict[str, Rule] = {}
        again = False
        for file, content in contents.items():
            own = file not in broken
            text = content if own else kept.get(file)
            if text is None:
                continue
            parsed = checked(text, file, catalogue, entities)
            if parsed.rule is not None and not faults(parsed.problems):
                rules[parsed.rule.code] = parsed.rule
                if own:
                    hints[file] = parsed.problems
            elif own:
                broken[file] = parsed.problems
                again = True
            else:  # not even the kept text fits what there is now
                kept = {known: text for known, text in kept.items() if known != file}
                again = True
        for rule in list(rules.values()):
            gone = sorted(indices_read(rule) - set(rules))
            if gone and not again:
                again = True
                if rule.file in broken:
                    kept = {known: text for known, text in kept.items() if known != rule.file}
                else:
                    broken[rule.file] = [_gone_problem(rule, gone)]
        if again:
            continue
        circles = cycles(rules.values())
        if not circles:
            break
        for circle in circles:
            for code in circle:
                file = rules[code].file
                if file in broken:
                    kept = {known: text for known, text in kept.items() if known != file}
                else:
                    broken[file] = [cycle_problem(rules[code], circle)]
    problems = [problem for found in broken.values() for problem in found]
    problems += [problem for file, found in hints.items() if file not in broken for problem in found]
    return Reading(rules, frozenset(map(code_of, broken)), sorted(problems, key=lambda problem: problem.order))


def checked(content: bytes, file: str, catalogue: Catalogue, entities: Registry) -> ParsedRule:
    parsed = parse_rule(content, file, catalogue=catalogue, entities=entities)
    if parsed.rule is not None and parsed.root is not None:
        parsed.problems.extend(check_rule(parsed.rule, parsed.root, catalogue=catalogue, entities=entities))
    return parsed


def _catalogue(contents: Contents, kept: Contents, broken: Collection[str]) -> Catalogue:
    indices: dict[str, IndexResults] = {}
    warnings: set[str] = set()
    for file, content in contents.items():
        text = kept.get(file, content) if file in broken else content
        announced = results_of(read_file(text, file)[0], file)
        if isinstance(announced, IndexResults):
            indices[announced.code] = announced
        elif announced is not None:
            warnings.add(announced)
    return Catalogue(indices, frozenset(warnings))


def _same_code_twice(contents: Contents) -> dict[str, list[Problem]]:
    """An index and a warning of the same name: the later file is refused."""
    seen: dict[str, str] = {}
    refused: dict[str, list[Problem]] = {}
    for file in contents:
        first = seen.setdefault(code_of(file), file)
        if first != file:
            label = Label(f"{first} 已用了这个代码", f"{first} has this code already")
            refused[file] = [Problem(file, 1, "", label)]
    return refused


def cycle_problem(rule: Rule, circle: tuple[str, ...]) -> Problem:
    way = " → ".join((*circle, circle[0]))
    return Problem(
        rule.file,
        1,
        "metrics",
        Label(
            f"规则互相引用成环：{way}；用 back 读取以前发布的结果可以断开",
            f"Rules read from one another in a cycle: {way}; reading what was published before, with back, breaks it",
        ),
    )


def _gone_problem(rule: Rule, gone: list[str]) -> Problem:
    codes = ", ".join(gone)
    return Problem(
        rule.file,
        1,
        "metrics",
        Label(
            f"所引用的指数 {codes} 本身有误，未生效",
            f"It reads the index {codes}, which is not in force for its own faults",
        ),
    )


def check_folder(rules_dir: Path, entities: Registry = registry) -> list[Problem]:
    """All problems and hints of a rules folder, as it stands."""
    reading = read_rules(read_contents(rules_dir), entities=entities)
    adjustments = read_adjustments(read_contents(rules_dir, (ADJUSTMENTS_FOLDER,)), reading.rules)
    return [*misplaced(rules_dir), *reading.problems, *adjustments.problems]


@dataclass(frozen=True)
class _Snapshot:
    """What was found at one moment."""

    stamp: object = None
    rules: dict[str, Rule] = field(default_factory=dict)
    earlier: dict[str, tuple[Rule, ...]] = field(default_factory=dict)
    """Versions that speak for days before ``rules[code].effective_from``, latest first."""
    problems: list[Problem] = field(default_factory=list)
    version: str = ""
    adjustments: Adjustments = field(default_factory=Adjustments)
    earlier_adjustments: dict[str, tuple[LocalAdjustment, ...]] = field(default_factory=dict)


class RuleLibrary:
    """The rules in force in this process. Every question looks at the files again if the last look is more than
    ``REFRESH_SECONDS`` old, so that all processes follow a change by themselves. Safe to share between threads."""

    def __init__(
        self, rules_dir: Path | str, data_dir: Path | str | None = None, entities: Registry = registry
    ) -> None:
        """``data_dir``: where whole versions are kept; without it, a broken file's last version lives in memory."""
        self.rules_dir = Path(rules_dir)
        self._kept_dir = Path(data_dir) / KEPT_FOLDER if data_dir else None
        self._entities = entities
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._snapshot = _Snapshot()
        self._last_whole: Contents = {}

    def rules(self, as_of: date | None = None) -> dict[str, Rule]:
        """By code, the newest version of every rule, or the one in force on a day."""
        snapshot = self._current()
        if as_of is None:
            return dict(snapshot.rules)
        found = {code: _speaking(snapshot, code, as_of) for code in snapshot.rules}
        return {code: rule for code, rule in found.items() if rule is not None}

    def rule(self, code: str, as_of: date | None = None) -> Rule:
        """One rule. Raises UserError if there is none, or none that speaks for the day."""
        snapshot = self._current()
        if code not in snapshot.rules:
            wrong = [problem for problem in faults(snapshot.problems) if code_of(problem.file) == code]
            if wrong:
                found = [[each.in_language(language) for each in wrong] for language in ("zh", "en")]
                raise UserError(
                    "\n".join([f"规则“{code}”有错误，不能使用：", *found[0]]),
                    "\n".join([f"The rule “{code}” has faults and cannot be used:", *found[1]]),
                )
            known = ", ".join(sorted(snapshot.rules)) or "—"
            raise UserError(f"没有规则“{code}”；可用：{known}", f"There is no rule “{code}”; there are: {known}")
        rule = snapshot.rules[code] if as_of is None else _speaking(snapshot, code, as_of)
        if rule is None:
            begin = snapshot.rules[code].effective_from
            raise UserError(f"规则“{code}”自 {begin} 起生效", f"The rule “{code}” is in force from {begin}")
        return rule

    def ordered(self, codes: Collection[str] | None, as_of: date) -> list[Rule]:
        """The rules in force on a day, each after those it reads from; ``codes``: only these and what they read.

        Raises UserError for a code that is unknown or not in force on that day.
        """
        for code in codes or ():
            self.rule(code, as_of)
        return in_order(self.rules(as_of).values(), codes)

    def adjustments_of(self, index: Index, as_of: date) -> tuple[LocalAdjustment, ...]:
        """The adjustments of an index that are in force on a day and fit it, those that change nothing left out."""
        snapshot = self._current()
        found = []
        for code, newest in snapshot.adjustments.fitting.items():
            if newest.base != index.code:
                continue
            for each in (newest, *snapshot.earlier_adjustments.get(code, ())):
                if each.effective_from is None or each.effective_from <= as_of:
                    # What was found to fit the newest version of the index may not fit an earlier one.
                    known = each is newest and snapshot.rules[index.code].version == index.version
                    if not each.is_empty and (known or not misfits(each, index)):
                        found.append(each)
                    break
        return tuple(found)

    def adjustments(self) -> Adjustments:
        """All adjustments there are, and why those that are out of force are."""
        return self._current().adjustments

    def known(self, code: str) -> Rule | None:
        """The newest version of a rule or adjustment, whether or not an adjustment fits."""
        snapshot = self._current()
        return snapshot.rules.get(code) or snapshot.adjustments.all.get(code)

    def problems(self) -> list[Problem]:
        """What is wrong with the files, and hints, as of the last look."""
        return list(self._current().problems)

    def version(self) -> str:
        """A hash of everything in force: equal in all processes that go by the same rules."""
        return self._current().version

    def refresh(self) -> bool:
        """Look at the files now. True if what is in force has changed."""
        with self._lock:
            before = self._snapshot.version
            self._look()
            return self._snapshot.version != before

    def _current(self) -> _Snapshot:
        if time.monotonic() - self._looked_at > REFRESH_SECONDS or self._snapshot.stamp is None:
            self.refresh()
        return self._snapshot

    def _look(self) -> None:
        stamp, settled = self._stamp()
        self._looked_at = time.monotonic()
        if stamp == self._snapshot.stamp:
            return
        if not self.rules_dir.is_dir() and self._snapshot.rules:
            # The folder as a whole is away, on a failed mount perhaps: not a wish to have no rules.
            self._snapshot = _Snapshot(
                stamp,
                self._snapshot.rules,
                self._snapshot.earlier,
                misplaced(self.rules_dir),
                self._snapshot.version,
                self._snapshot.adjustments,
                self._snapshot.earlier_adjustments,
            )
            return
        contents = read_contents(self.rules_dir)
        kept = {file: text for file in contents if (text := self._kept_text(file)) is not None}
        reading = read_rules(contents, kept, self._entities)
        for file, content in contents.items():
            code = code_of(file)
            if code in reading.rules and code not in reading.broken:
                self._keep(file, content, reading.rules[code])
        earlier = {code: self._earlier(rule) for code, rule in reading.rules.items()}
        contents = read_contents(self.rules_dir, (ADJUSTMENTS_FOLDER,))
        adjustments = read_adjustments(contents, reading.rules)
        for adjustment in adjustments.fitting.values():
            self._keep(adjustment.file, contents[adjustment.file], adjustment)
        former = {code: self._earlier_adjustments(each) for code, each in adjustments.fitting.items()}
        problems = misplaced(self.rules_dir) + reading.problems + adjustments.problems
        version = _version({**reading.rules, **adjustments.fitting}, {**earlier, **former})
        self._snapshot = _Snapshot(
            stamp if settled else (), reading.rules, earlier, problems, version, adjustments, former
        )

    def _stamp(self) -> tuple[object, bool]:
        """What a change of any file, or of the entities, changes; and whether it can be relied on already."""
        found: list[tuple[str, int, int, int]] = []
        newest = 0.0
        for file in rule_files(self.rules_dir, (*FOLDERS, ADJUSTMENTS_FOLDER)):
            try:
                status = (self.rules_dir / file).stat()
            except OSError:
                continue
            found.append((file, status.st_mtime_ns, status.st_size, status.st_ino))
            newest = max(newest, status.st_mtime)
        return (self.rules_dir.is_dir(), self._entities.version, tuple(found)), time.time() - newest > SETTLED_SECONDS

    # Kept versions

    def _folder(self, code: str) -> Path | None:
        return self._kept_dir / code if self._kept_dir else None

    def _kept_days(self, code: str) -> list[tuple[str, Path]]:
        """The kept versions of a rule, from the latest day to “always”."""
        folder = self._folder(code)
        files = {path.stem: path for path in folder.glob("*.yaml")} if folder and folder.is_dir() else {}
        return sorted(files.items(), key=lambda item: "" if item[0] == _ALWAYS else item[0], reverse=True)

    def _kept_text(self, file: str) -> bytes | None:
        """The last whole text of a rule."""
        if file in self._last_whole:
            return self._last_whole[file]
        for _, path in self._kept_days(code_of(file)):
            try:
                return path.read_bytes()
            except OSError:
                continue
        return None

    def _keep(self, file: str, content: bytes, rule: Rule) -> None:
        self._last_whole[file] = content
        folder = self._folder(rule.code)
        if folder is None:
            return
        day = rule.effective_from.isoformat() if rule.effective_from else _ALWAYS
        try:
            for kept_day, path in self._kept_days(rule.code):
                if kept_day != day and (day == _ALWAYS or (kept_day != _ALWAYS and kept_day > day)):
                    path.unlink(missing_ok=True)
            target = folder / f"{day}.yaml"
            if target.is_file() and target.read_bytes() == content:
                return
            folder.mkdir(parents=True, exist_ok=True)
            draft = folder / f".{day}.{os.getpid()}.{threading.get_ident()}"
            draft.write_bytes(content)
            draft.replace(target)
        except OSError:
            # Without room to keep it the text still counts in this process; the disk is somebody else's to report.
            return

    def _earlier(self, rule: Rule) -> tuple[Rule, ...]:
        """The versions for days before the rule's own, as far as they still fit the entities there are."""
        if rule.effective_from is None:
            return ()
        found = []
        for day, path in self._kept_days(rule.code):
            if day != _ALWAYS and day >= rule.effective_from.isoformat():
                continue
            try:
                content = path.read_bytes()
            except OSError:
                continue
            announced = results_of(read_file(content, rule.file)[0], rule.file)
            parsed = parse_rule(content, rule.file, catalogue=self._wide(announced), entities=self._entities)
            if parsed.rule is not None:
                found.append(parsed.rule)
        return tuple(found)

    def _earlier_adjustments(self, adjustment: LocalAdjustment) -> tuple[LocalAdjustment, ...]:
        """The versions for days before the adjustment's own; whether they fit is asked when they are applied."""
        found = []
        for day, path in self._kept_days(adjustment.code) if adjustment.effective_from else ():
            if day == _ALWAYS or day < adjustment.effective_from.isoformat():
                with contextlib.suppress(OSError):
                    parsed = parse_adjustment(path.read_bytes(), adjustment.file).adjustment
                    found += [parsed] if parsed is not None else []
        return tuple(found)

    def _wide(self, announced: IndexResults | str | None) -> Catalogue:
        """The rules of the folder, for versions that were checked when they were new."""
        contents = read_contents(self.rules_dir)
        catalogue = _catalogue(contents, {}, ())
        if isinstance(announced, IndexResults):
            return Catalogue({**catalogue.indices, announced.code: announced}, catalogue.warnings)
        return catalogue


def _speaking(snapshot: _Snapshot, code: str, as_of: date) -> Rule | None:
    """The version of a rule that is in force on a day."""
    for rule in (snapshot.rules[code], *snapshot.earlier.get(code, ())):
        if rule.effective_from is None or rule.effective_from <= as_of:
            return rule
    return None


def _version(rules: dict[str, Rule], earlier: dict[str, tuple[Rule, ...]]) -> str:
    versions = [(code, rule.version, *(past.version for past in earlier[code])) for code, rule in sorted(rules.items())]
    return hashlib.sha256(repr(versions).encode()).hexdigest()
