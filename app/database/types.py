"""Column types that behave alike on every database."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.dialects.mysql import LONGBLOB, LONGTEXT

# Names compared byte by byte, so that a range of materialized paths is an index range on every database.
PathType = (
    String(255)
    .with_variant(String(255, collation="C"), "postgresql")
    .with_variant(String(255, collation="ascii_bin"), "mysql", "mariadb")
)
LongText = Text().with_variant(LONGTEXT(), "mysql", "mariadb")
LongBinary = LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")
