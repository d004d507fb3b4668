"""The declarative base of every table, and the names of constraints."""

from __future__ import annotations

import hashlib
from typing import Any

from flask_appbuilder import Model
from flask_appbuilder.security.sqla import models as fab_security
from sqlalchemy import Constraint, Double, Table
from sqlalchemy.orm import DeclarativeBase

MAXIMUM_NAME = 30  # Oracle-like domestic databases refuse longer names.


def shorten(name: str) -> str:
    """A database name of at most 30 characters: the name itself, or its beginning and a hash of the whole."""
    if len(name) <= MAXIMUM_NAME:
        return name
    return f"{name[: MAXIMUM_NAME - 7]}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _columns(constraint: Any, _table: Table) -> str:
    return "_".join(column.name for column in constraint.columns)


def _named(prefix: str) -> Any:
    def name(constraint: Constraint, table: Table) -> str:
        return shorten(f"{prefix}_{table.name.removeprefix('bc_')}_{_columns(constraint, table)}")

    return name


NAMING_CONVENTION = {
    "short_pk": _named("pk"),
    "short_fk": _named("fk"),
    "short_uq": _named("uq"),
    "short_ix": _named("ix"),
    "pk": "%(short_pk)s",
    "fk": "%(short_fk)s",
    "uq": "%(short_uq)s",
    "ix": "%(short_ix)s",
}

# One metadata for our tables and FAB's, because accounts refer to organizations. FAB's own tables are declared when
# its security models are imported, before this convention exists, so it names only ours.
metadata = fab_security.User.metadata
assert metadata is Model.metadata
metadata.naming_convention = {**metadata.naming_convention, **NAMING_CONVENTION}


class Base(DeclarativeBase):
    """Base of all tables of Beacon."""

    metadata = metadata
    # MariaDB's FLOAT has seven digits only.
    type_annotation_map = {float: Double()}
