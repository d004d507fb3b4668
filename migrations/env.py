"""Runs the revisions for ``app.database.migrations``, which hands over the connection.

Everything that declares tables is imported here, and nowhere else for this purpose.
"""

from __future__ import annotations

from alembic import context

import app.access.access_version
import app.access.accounts
import app.access.api_keys
import app.access.audit
import app.access.idempotent_answers
import app.console.lists.models
import app.domains.all
import app.evaluation.models
import app.exchange.models
import app.history.models
import app.history.trash_model
import app.workshop.models  # noqa: F401
from app.database.base import Base
from app.database.migrations import context_options

connection = context.config.attributes["connection"]
context.configure(
    connection,
    target_metadata=Base.metadata,
    on_version_apply=context.config.attributes.get("on_version_apply"),
    **{**context_options(), "transactional_ddl": connection.dialect.name in ("sqlite", "postgresql")},
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
