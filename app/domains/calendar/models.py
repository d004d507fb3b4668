"""Days that differ from the week's rule: public holidays, and weekends worked in exchange (调休)."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Mapped

from app.entity.code_lists import CodeList
from app.entity.fields import code, code_of, day, text
from app.entity.labels import Label
from app.entity.registry import Entity, EntityOptions, registry
from app.entity.visibility import Visibility


class DayKind(CodeList):
    """日期类别."""

    HOLIDAY = "holiday", "休假", "Holiday"
    WORKING_DAY = "working_day", "调休上班", "Working day in exchange"


@registry.register
class Holiday(Entity):
    """One day of the State Council's yearly notice of holidays."""

    __tablename__ = "bc_holiday"
    __entity__ = EntityOptions(
        label=Label("节假日", "Holiday"),
        about=Label(
            "法定节假日和调休上班日，用来计算工作日期限。",
            "Public holidays and make-up working days, by which deadlines in working days are counted.",
        ),
        visibility=Visibility.PUBLIC,
        title="name",
        group="system",
        icon="fa-calendar-day",
        owner=None,
        dated_by="day",
        natural_key=("day",),
        order_by="-day",
        measure="天",
        copied_in=True,
    )

    code: Mapped[str] = code("编号", "Code")
    day: Mapped[date] = day("日期", "Day", unique=True, listed=True, name="calendar_day", key="day")
    name: Mapped[str] = text("名称", "Name", 60, listed=True, searched=True, filled_from=("kind",))
    kind: Mapped[DayKind] = code_of(DayKind, "类别", "Kind", default=DayKind.HOLIDAY, listed=True, filtered=True)
