"""For whom a job acts that a person asked for: the account as it is when the job runs, not as it was when asked."""

from __future__ import annotations

from dataclasses import dataclass

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.entity.labels import UserError
from app.entity.registry import EntityType

from .accounts import read_identity
from .actor import Actor
from .field_access import EVERYTHING, Clearance, clearance_of
from .permissions import Permission, class_name
from .roles import ADMINISTRATOR, granted


@dataclass(frozen=True)
class Acting:
    """An account's actor, and what it may do."""

    actor: Actor
    is_administrator: bool
    permissions: frozenset[Permission]

    @property
    def clearance(self) -> Clearance:
        """The restricted classes of fields that it may see."""
        return EVERYTHING if self.is_administrator else clearance_of(self.permissions)

    def may(self, action: str, entity: EntityType) -> bool:
        """Whether it may ``add``, ``edit``, ``list``, ``export`` … rows of an entity."""
        return self.is_administrator or Permission(f"can_{action}", class_name(entity.code)) in self.permissions


def acting(engine: Engine, user_id: int) -> Acting:
    """Raises UserError for an account that is gone or switched off."""
    with Session(engine) as session:
        account = session.scalars(select(User).where(User.id == user_id)).one_or_none()
        if account is None or not account.active:
            raise UserError("账号已停用", "The account is switched off")
        connection = session.connection()
        identity = read_identity(account, connection)
        return Acting(identity.actor, ADMINISTRATOR in identity.role_names, granted(connection, identity.role_ids))
