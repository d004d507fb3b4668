"""What can be done with a row beyond editing its fields: claiming a wish, receiving a transfer.

An operation is a function beside the entity's models, declared once::

    @operation(
        "wish", "withdraw", Label("下架", "Withdraw"),
        offered=in_state(WishStatus.OPEN),
        asks=(asked("reason", FieldKind.TEXT, "原因", "Reason", length=200),),
    )
    def withdraw(session: Session, wish: Wish, actor: Actor, *, reason: str) -> None: ...

The console offers it on the record's page, the API under the record's address; ``app.access.operations.perform`` is the
one way to run it: permitted, in scope, in one transaction, on a row that is locked and asked again whether it is
offered. So an operation may rely on the state it was declared for, and two people at once cannot both do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from .code_lists import CodeList
from .fields import FieldOptions
from .labels import Label, UserError
from .registry import Field, FieldKind

Run = TypeVar("Run", bound=Callable[..., None])


class Impossible(UserError):
    """What an operation finds to be impossible as things stand, in words for people."""

    status = 409


class Audience(StrEnum):
    """Whom an operation is for. Which role that is, ``app/access/roles.py`` says."""

    EVERYONE = "everyone"
    """Members too: to claim, to enrol, to sign in. The row has to be seen, not to be theirs."""
    KEEPERS = "keepers"
    """Those who keep the records of the row's organization, from the branch up."""
    SUPERIORS = "superiors"
    """Street, district and city: to review and approve."""


@dataclass(frozen=True)
class Operation:
    """Declared by ``operation``."""

    entity: str
    code: str
    label: Label
    run: Callable[..., None]
    """Called with the session, the row, the one who acts (``app.access.actor.Actor``) and what was asked for, by
    name; references as ids, and None for what was left empty. Raises UserError for what people can mend."""
    offered: Callable[[Any], bool]
    """Whether the row's state allows it."""
    leads_to: tuple[CodeList, ...] = ()
    """The states (``EntityType.state``) that the row may be in afterwards; empty where its state stays."""
    asks: tuple[Field, ...] = ()
    audience: Audience = Audience.KEEPERS
    party: tuple[str, ...] = ()
    """Where a row has several organizations, the relation whose staff it is for: who issues, who receives. Of several
    relations the first that is set."""
    initial: Callable[[Any], dict[str, Any]] | None = None
    """What the form begins with, from the row."""
    confirm: Label | None = None
    """The question before it is done, where nothing is asked for."""

    @property
    def permission(self) -> str:
        """The name of the permission, on the entity's page."""
        return f"can_{self.code}"

    @property
    def on_own_rows(self) -> bool:
        """Whether the row has to lie where the one who acts may write; otherwise it has to be seen."""
        return self.audience is not Audience.EVERYONE


_operations: dict[str, dict[str, Operation]] = {}


def operation(
    entity: str,
    code: str,
    label: Label,
    *,
    offered: Callable[[Any], bool] = lambda row: True,
    leads_to: CodeList | tuple[CodeList, ...] = (),
    asks: Iterable[Field] = (),
    audience: Audience = Audience.KEEPERS,
    party: str | tuple[str, ...] = (),
    initial: Callable[[Any], dict[str, Any]] | None = None,
    confirm: Label | None = None,
) -> Callable[[Run], Run]:
    """Declare the decorated function an operation of an entity. See ``Operation`` for the arguments."""

    def declare(run: Run) -> Run:
        parties = (party,) if isinstance(party, str) else party
        states = (leads_to,) if isinstance(leads_to, CodeList) else leads_to
        declared = Operation(
            entity, code, label, run, offered, states, tuple(asks), audience, parties, initial, confirm
        )
        _operations.setdefault(entity, {})[code] = declared
        return run

    return declare


def operations_of(entity: str) -> list[Operation]:
    """The operations of an entity, in the order of declaration."""
    return list(_operations.get(entity, {}).values())


def operation_of(entity: str, code: str) -> Operation | None:
    """One of them; None if there is none of this code."""
    return _operations.get(entity, {}).get(code)


def operation_word(permission: str) -> Label | None:
    """What a permission such as ``can_claim`` is called; None if it belongs to no operation."""
    found = (known[permission.removeprefix("can_")] for known in _operations.values() if permission[4:] in known)
    return next((each.label for each in found), None)


def in_state(*states: CodeList, field: str = "status") -> Callable[[Any], bool]:
    """Offered while the row's field holds one of these codes."""
    return lambda row: getattr(row, field) in states


def asked(
    name: str,
    kind: FieldKind,
    zh: str,
    en: str,
    *,
    optional: bool = False,
    help: tuple[str, str] | None = None,
    unit: tuple[str, str] | None = None,
    target: str | None = None,
    code_list: type[CodeList] | None = None,
    length: int | None = None,
) -> Field:
    """Something that an operation asks for. For a reference, ``target`` is an entity's code and the value an id."""
    if kind is FieldKind.TEXT and length is None:
        length = 200
    options = FieldOptions(
        Label(zh, en), help=Label(*help) if help else None, unit=Label(*unit) if unit else None, target=target
    )
    return Field(name, kind, options, nullable=optional, has_default=False, unique=False, maximum_length=length,
                 code_list=code_list)  # fmt: skip
