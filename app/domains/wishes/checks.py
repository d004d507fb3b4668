"""What wishes, claims and points have to satisfy beyond their single fields.

Source: Personal Information Protection Law, article 31 (a guardian consents for children).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from sqlalchemy import inspect, select

from app.database.clock import now, today
from app.entity.faults import FieldError
from app.entity.related import Related

from .code_lists import ClaimStatus

__all__ = ["now", "today"]

HOLDING = (ClaimStatus.ACTIVE, ClaimStatus.CONTACTED, ClaimStatus.DELIVERED, ClaimStatus.REALISED)
"""States in which a claim holds its wish, so that nobody else can claim it."""

ENDED = (ClaimStatus.CANCELLED, ClaimStatus.REVOKED, ClaimStatus.EXPIRED)


def wish_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.quantity < 1:
        yield FieldError("quantity", "至少 1 份", "at least 1")
    if row.points < 0:
        yield FieldError("points", "不能小于 0", "must not be below 0")
    for name in ("estimated_value", "amount_cap"):
        if getattr(row, name) is not None and getattr(row, name) < 0:
            yield FieldError(name, "不能小于 0", "must not be below 0")
    if row.estimated_value is not None and row.amount_cap is not None and row.estimated_value > row.amount_cap:
        yield FieldError("estimated_value", "不能超过金额上限", "must not be above the most that may be spent")
    if row.is_minor and not row.guardian_consent:
        yield FieldError(
            "guardian_consent",
            "《中华人民共和国个人信息保护法》第三十一条：未成年人的心愿须取得监护人同意",
            "Personal Information Protection Law, article 31: the guardian of a minor has to consent",
        )
    if row.beneficiary and row.beneficiary.strip() == row.public_name:
        yield FieldError("public_name", "公开称呼不能写全名", "must not be the full name")


def claim_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.claimant_kind == "member" and related.value(row, "member") is None:
        yield FieldError("member_id", "党员认领的要选择党员", "a member's claim needs the member")
    order = ("claimed_on", "contacted_on", "delivered_on", "realised_on")
    present = [name for name in order if getattr(row, name)]
    for earlier, later in pairwise(present):
        if getattr(row, later) < getattr(row, earlier):
            yield FieldError(later, "不能早于前一步的日期", "must not be before the step that comes first")
    for name in present:
        if getattr(row, name) > today():
            yield FieldError(name, "不能晚于今天", "must not be later than today")
    if row.status in ENDED and not row.ended_on:
        yield FieldError("ended_on", "终止的认领要填终止日期", "a claim that ended needs the day")


def point_faults(row: Any, related: Related) -> Iterator[FieldError]:
    """The balance follows from the line before; a line that was written stays."""
    state = inspect(row)
    if state.persistent and state.modified:
        yield FieldError("delta", "积分流水只能追加，不能修改", "the ledger is only added to, never changed")
        return
    model = type(row)
    before = select(model.balance).where(model.account == row.account, model.serial_no == row.serial_no - 1)
    last = related.session.scalar(before.with_for_update())  # as it is now, on MariaDB as well
    if last is None and row.serial_no > 1:
        yield FieldError("serial_no", "前一笔不存在", "the line before is missing")
    elif (last or 0) + row.delta != row.balance:
        yield FieldError("balance", "余额与前一笔不符", "the balance does not follow from the line before")
    if row.balance < 0:
        yield FieldError("balance", "积分不足", "there are not enough points")
