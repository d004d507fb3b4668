"""What the database's planner knows of how much there is. Without it, SQLite looks up the two states of a meeting in an
index where the branch's own would leave it a hundredth of the rows."""

from __future__ import annotations

from sqlalchemy import Engine, inspect, text

from .base import Base


def refresh_statistics(engine: Engine) -> None:
    """Tell the planner how much there is now: after many rows were added at once, and every night."""
    names = [table for table in inspect(engine).get_table_names() if table in Base.metadata.tables]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        match engine.dialect.name:
            case "sqlite" | "postgresql":
                connection.execute(text("ANALYZE"))
            case "mysql" | "mariadb":
                connection.execute(text(f"ANALYZE TABLE {', '.join(names)}"))
