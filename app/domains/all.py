"""Importing this module declares every entity of the domains, and sees to it that their rows are checked."""

from app.domains.attachments import models as attachments
from app.domains.attachments import ties
from app.domains.calendar import models as calendar
from app.domains.development import operations as development
from app.domains.members import models as members
from app.domains.observations import models as observations
from app.domains.organizations import models as organizations
from app.domains.organizations import tree
from app.domains.party_life import duties
from app.domains.party_life import models as party_life
from app.domains.volunteering import operations as volunteering
from app.domains.wishes import operations as wishes
from app.entity import validation

__all__ = [
    "attachments",
    "calendar",
    "development",
    "duties",
    "members",
    "observations",
    "organizations",
    "party_life",
    "ties",
    "tree",
    "validation",
    "volunteering",
    "wishes",
]
