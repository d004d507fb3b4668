"""SQL that SQLite, PostgreSQL and MariaDB (and the families that speak like them) spell differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Date, Integer, String, case, func, literal, literal_column, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class text_equals(FunctionElement):
    """Equality of two texts, byte by byte. MariaDB's usual collation would find "a" equal to "A" and to "á"."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> text_equals:
        return self  # it is a condition already: "= 1", which SQLAlchemy would add, keeps an index from serving


@compiles(text_equals)
def _(element: Any, compiler: Any, **options: Any) -> str:
    left, right = (compiler.process(part, **options) for part in element.clauses)
    return f"({left} = {right})"


@compiles(text_equals, "mysql", "mariadb")
def _(element: Any, compiler: Any, **options: Any) -> str:
    left, right = element.clauses
    # The plain comparison lets an index narrow the rows; the second one decides. The operands are rendered twice,
    # each with parameters of its own.
    plain = f"{compiler.process(left, **options)} = {compiler.process(right, **options)}"
    exact = (
        f"CAST({compiler.process(left, **options)} AS BINARY) = CAST({compiler.process(right, **options)} AS BINARY)"
    )
    return f"({plain} AND {exact})"


class exact_text(FunctionElement):
    """A text that compares, groups and is distinct byte by byte."""

    type = String()
    inherit_cache = True


@compiles(exact_text)
def _(element: Any, compiler: Any, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(exact_text, "mysql", "mariadb")
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS BINARY)"


class _position(FunctionElement):
    """Arguments: text, the part sought in lower case, the letters in it. 1 at the beginning, 0 where it is not."""

    type = Integer()
    inherit_cache = True


@compiles(_position)
def _(element: Any, compiler: Any, **options: Any) -> str:
    text, part, _letters = element.clauses
    return f'strpos(lower({compiler.process(text, **options)} COLLATE "C"), {compiler.process(part, **options)})'


@compiles(_position, "sqlite")
def _(element: Any, compiler: Any, **options: Any) -> str:
    text, part, _letters = element.clauses  # SQLite's lower() knows ASCII only, which is what is wanted
    return f"instr(lower({compiler.process(text, **options)}), {compiler.process(part, **options)})"


@compiles(_position, "mysql", "mariadb")
def _(element: Any, compiler: Any, **options: Any) -> str:
    text, part, letters = element.clauses  # lower() would fold more than ASCII, and does nothing to bytes
    folded = f"CAST({compiler.process(text, **options)} AS BINARY)"
    for letter in letters.name.strip("'"):
        folded = f"REPLACE({folded}, '{letter.upper()}', '{letter}')"
    return f"LOCATE(CAST({compiler.process(part, **options)} AS BINARY), {folded})"


def position_ignoring_case(text: ColumnElement[str], part: str) -> ColumnElement[int]:
    """Where ``part`` begins in ``text``, from 1, or 0; ASCII letters of both cases are the same, nothing else is."""
    lowered = "".join(letter.lower() if letter.isascii() else letter for letter in part)
    letters = "".join(sorted({letter for letter in lowered if "a" <= letter <= "z"}))
    return _position(text, literal(lowered, String), literal_column(f"'{letters}'"))


class as_day(FunctionElement):
    """The day of a moment, or of a text such as ``2026-07-01``."""

    type = Date()
    inherit_cache = True


@compiles(as_day)
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS DATE)"


@compiles(as_day, "sqlite")
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"date({compiler.process(element.clauses, **options)})"


class _later(FunctionElement):
    """Arguments: day, months (clamped to the month's end), days; the last two are literal integers."""

    type = Date()
    inherit_cache = True


@compiles(_later)
def _(element: Any, compiler: Any, **options: Any) -> str:
    day, months, days = (compiler.process(part, **options) for part in element.clauses)
    return f"CAST({day} + INTERVAL '{months} months' + INTERVAL '{days} days' AS DATE)"


@compiles(_later, "mysql", "mariadb")
def _(element: Any, compiler: Any, **options: Any) -> str:
    day, months, days = (compiler.process(part, **options) for part in element.clauses)
    return f"DATE_ADD(DATE_ADD({day}, INTERVAL {months} MONTH), INTERVAL {days} DAY)"


@compiles(_later, "sqlite")
def _(element: Any, compiler: Any, **options: Any) -> str:
    day, _months, days = (compiler.process(part, **options) for part in element.clauses)
    months = int(element.clauses.clauses[1].name)
    # SQLite lets 31 January + 1 month run over into March: the end of the target month bounds it.
    moved = f"min(date({day}, '{months:+d} months'), date({day}, 'start of month', '{months + 1:+d} months', '-1 day'))"
    return f"date({moved if months else day}, '{int(days):+d} days')"


def later(day: ColumnElement[Any], months: int, days: int) -> ColumnElement[Any]:
    """A day so many months and then days later (earlier, if negative)."""
    return _later(day, literal_column(str(int(months))), literal_column(str(int(days)))) if months or days else day


def first_day(period: ColumnElement[str]) -> ColumnElement[Any]:
    """The first day of a period column (``2026Q3`` is 2026-07-01) as a date."""
    text = type_coerce(period, String)
    rest = case(
        {"-": func.substr(text, 5, 3) + "-01"} | {},
        value=func.substr(text, 5, 1),
        else_=case(
            {"H2": "-07-01", "Q2": "-04-01", "Q3": "-07-01", "Q4": "-10-01"},
            value=func.substr(text, 5, 2),
            else_="-01-01",
        ),
    )
    return as_day(func.substr(text, 1, 4) + rest)


class day_number(FunctionElement):
    """The number of a date: 1 for 0001-01-01, as ``date.toordinal`` counts."""

    type = Integer()
    inherit_cache = True


@compiles(day_number)
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} - DATE '0001-01-01' + 1)"


@compiles(day_number, "sqlite")
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(julianday({compiler.process(element.clauses, **options)}) - 1721424.5 AS INTEGER)"


@compiles(day_number, "mysql", "mariadb")
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"(TO_DAYS({compiler.process(element.clauses, **options)}) - 365)"


class unindexed(FunctionElement):
    """A column that SQLite shall not look up by an index: where a query reads a good part of a table, following an
    index row by row takes several times as long as reading through. Elsewhere the column itself."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(unindexed)
def _(element: Any, compiler: Any, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(unindexed, "sqlite")
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"
