"""Changing the text of a rule in place: only what a change concerns is written anew, everything else stays byte for
byte, with its comments, order and layout.

A text goes in and a text comes out; nothing is kept in between. ``operations`` has what can be done, ``structure`` says
where each part stands, ``writing`` how a value is written, ``placing`` where a change begins and ends.
"""

from .operations import (
    Document,
    insert,
    insert_key,
    move,
    read_document,
    remove,
    rename_key,
    rewritten,
    set_enabled,
    set_value,
)

__all__ = [
    "Document",
    "insert",
    "insert_key",
    "move",
    "read_document",
    "remove",
    "rename_key",
    "rewritten",
    "set_enabled",
    "set_value",
]
