"""What is said to a user who reaches for something that is not theirs."""

from __future__ import annotations

from app.entity.labels import Label, UserError


class Refused(UserError):
    """A write that the actor may not do. ``status`` is the HTTP answer; ``entity`` and ``field`` say where."""

    status = 403

    def __init__(self, zh: str, en: str, *, entity: str, field: str | None = None) -> None:
        super().__init__(zh, en)
        self.entity = entity
        self.field = field


class SignInRefused(UserError):
    """A program that is given no tokens. ``field`` is the member of the body that is at fault, if it is one."""

    def __init__(self, status: int, why: Label, field: str | None = None) -> None:
        super().__init__(why.zh, why.en)
        self.status = status
        self.field = field


class OutOfScope(Refused):
    """The row written, or a row it refers to, lies outside what the actor may write or refer to.

    Says the same whether the other row exists or not, so that nobody can learn of rows they do not see.
    """

    @classmethod
    def row(cls, entity: str, label: Label) -> OutOfScope:
        """The row itself: 403."""
        return cls(
            f"这条{label.zh}记录不在您的管理范围内，未保存。请选择您管理的党组织，或请上级办理。",
            f"This record ({label.en}) lies outside what you look after; nothing was saved. Choose an organization "
            "that you look after, or ask the level above.",
            entity=entity,
        )

    @classmethod
    def reference(cls, entity: str, field: str, label: Label) -> OutOfScope:
        """A row that it refers to: 422, as for any other value that cannot be taken."""
        refused = cls(
            f"“{label.zh}”所选的记录不存在，或不在您的管理范围内，未保存。请重新选择。",
            f"“{label.en}”: the record chosen does not exist or lies outside what you look after; nothing was saved. "
            "Choose another.",
            entity=entity,
            field=field,
        )
        refused.status = 422
        return refused


class ReadOnly(Refused):
    """The rows of this entity are written by the system alone."""

    @classmethod
    def of(cls, entity: str, label: Label) -> ReadOnly:
        return cls(
            f"{label.zh}由系统产生，不能修改。",
            f"{label.en}: these records are made by the system and cannot be changed.",
            entity=entity,
        )


class UnscopedStatement(RuntimeError):
    """A mistake in the program: a statement that row scope cannot narrow was run for an actor with bounds."""


class ActorChanged(RuntimeError):
    """A mistake in the program: a session that has read for one actor was handed to another."""
