"""The names of permissions, as FAB's tables keep them: stable, because roles are stored by them.

A permission on an entity is named by the entity's code in CamelCase (``fee_payment`` is ``FeePayment``). The others
are named here; a page checks one with ``@has_access`` and ``class_permission_name``, or ``security.may(permission)``.
"""

from __future__ import annotations

from typing import NamedTuple

from app.entity.registry import EntityType

READING = ("can_list", "can_show")
WRITING = ("can_add", "can_edit", "can_delete")
EXPORT = "can_export"


class Permission(NamedTuple):
    """What may be done, and on which page or entity."""

    action: str
    page: str


DASHBOARD = Permission("can_show", "Dashboard")
LEAGUE = Permission("can_list", "Scorecard")
SCORECARD = Permission("can_show", "Scorecard")
WARNINGS = Permission("can_list", "Warning")
SEE_RUNS = Permission("can_list", "Evaluation")
EVALUATE = Permission("can_run", "Evaluation")
SEE_RULES = Permission("can_list", "Rule")
EDIT_RULES = Permission("can_edit", "Rule")
APPROVE_INDICES = Permission("can_approve_index", "Rule")
APPROVE_WARNINGS = Permission("can_approve_warning", "Rule")
ADJUST_RULES = Permission("can_adjust", "Rule")
"""Adjusting indices for one's own organization and all below it, within the bounds that they declare."""
APPROVE_ADJUSTMENTS = Permission("can_approve_adjustment", "Rule")
"""Approving adjustments of organizations below one's own."""
REVEAL = Permission("can_reveal", "PersonalData")
IMPORT = Permission("can_list", "Import")
"""The page of imports; what may be imported follows from ``can_add`` and ``can_edit`` of the entity."""
EXPORTS = Permission("can_list", "Export")
"""The page of one's own exports; what may be exported follows from ``can_export`` of the entity."""
PERFORMANCE_FORM = Permission("can_download", "PerformanceForm")
"""The filled form of a performance target, of those that one sees."""
TRASH = Permission("can_list", "Trash")
"""The trash: of the entities whose rows one may delete."""
PURGE = Permission("can_purge", "Trash")
"""Taking rows out of the trash for good."""
EXPORT_PERSON = Permission("can_export", "PersonalData")
ERASE_PERSON = Permission("can_erase", "PersonalData")
TRASH_AND_PERSONS = (PURGE, EXPORT_PERSON, ERASE_PERSON)
OPERATIONS = Permission("can_access", "Operations")
"""The machine room at ``/ops``."""
API_DOCUMENT = Permission("can_show", "ApiDocument")
"""The description of the API, and the page that shows it."""
OWN_KEYS = (Permission("can_list", "OwnApiKey"), Permission("can_add", "OwnApiKey"))
"""API keys of one's own account: to see, make and revoke them."""
ALL_KEYS = Permission("can_list", "ApiKey")
"""Everybody's API keys: to see and revoke them."""
AUDIT = Permission("can_list", "AuditEvent")
VERIFY_AUDIT = Permission("can_verify", "AuditEvent")
EXPORT_AUDIT = Permission("can_export", "AuditEvent")
READ_AUDIT = (AUDIT, VERIFY_AUDIT, EXPORT_AUDIT)
"""The audit trail across all entities: all of it for auditors, who belong to no organization; else what people of
one's own organization did."""

OWN_ACCOUNT = (
    Permission("can_userinfo", "Account"),
    Permission("can_this_form_get", "OwnPassword"),
    Permission("can_this_form_post", "OwnPassword"),
)
ACCOUNTS = (
    *(Permission(action, "Account") for action in (*READING, "can_add", "can_edit")),
    Permission("resetpasswords", "Account"),
    Permission("unlock", "Account"),
    Permission("can_this_form_get", "ResetPassword"),
    Permission("can_this_form_post", "ResetPassword"),
)
SEE_ROLES = tuple(Permission(action, "Role") for action in READING)


def see(restricted: str) -> Permission:
    """The permission to see fields of a restricted class (``app.access.field_access``)."""
    return Permission("can_see", f"Field.{restricted}")


def class_name(entity_code: str) -> str:
    """``fee_payment`` in CamelCase, the name FAB keeps the entity's permissions under."""
    return "".join(part[:1].upper() + part[1:] for part in entity_code.split("_"))


def on_entity(entity: EntityType, *actions: str) -> list[Permission]:
    """Permissions on an entity; writing is left out if its rows are made by the system alone."""
    page = class_name(entity.code)
    return [Permission(each, page) for each in actions if not (entity.options.read_only and each in WRITING)]
