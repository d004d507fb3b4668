"""The database: declarative base, engine, sessions, column types and migrations. Knows nothing of any entity."""
