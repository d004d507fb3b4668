"""Importing this module declares every entity of the domains, and sees to it that their rows are checked and
their changes recorded."""

from app.domains.attachments import models as attachments
from app.domains.attachments import ties
from app.domains.calendar import models as calendar
from app.domains.content import operations as content
from app.domains.development import operations as development
from app.domains.duties import operations as duties_of_organizations
from app.domains.members import models as members
from app.domains.observations import models as observations
from app.domains.organizations import models as organizations
from app.domains.organizations import tree
from app.domains.partnership import operations as partnership
from app.domains.party_life import duties
from app.domains.party_life import models as party_life
from app.domains.performance import operations as performance
from app.domains.volunteering import operations as volunteering
from app.domains.wishes import operations as wishes
from app.entity import validation
from app.history import recording, trash

__all__ = [
    "attachments",
    "calendar",
    "content",
    "development",
    "duties",
    "duties_of_organizations",
    "members",
    "observations",
    "organizations",
    "partnership",
    "party_life",
    "performance",
    "recording",
    "ties",
    "trash",
    "tree",
    "validation",
    "volunteering",
    "wishes",
]
