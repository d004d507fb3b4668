"""The filter language: one form for rules, API queries, saved views and policies.

``tree`` holds its syntax tree, ``parsing`` makes it from what people write, typed against an entity, and ``sql`` turns
it into SQLAlchemy. (Over frames of results ``app.rules.filter_frames`` means the same.)
"""

from .columns import Column, FrameColumns, UnknownColumn, resolve_column
from .dates import ANCHORS, PERIOD_ANCHORS, DateContext
from .parsing import FilterError, parse_filter
from .sql import filter_clause
from .tree import All, AnyOf, DateOperand, FieldOperand, Filter, NoneOf, Operand, Operator, Test

__all__ = [
    "ANCHORS",
    "PERIOD_ANCHORS",
    "All",
    "AnyOf",
    "Column",
    "DateContext",
    "DateOperand",
    "FieldOperand",
    "Filter",
    "FilterError",
    "FrameColumns",
    "NoneOf",
    "Operand",
    "Operator",
    "Test",
    "UnknownColumn",
    "filter_clause",
    "parse_filter",
    "resolve_column",
]
