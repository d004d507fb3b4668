"""What articles, surveys and answers have to satisfy beyond their single fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.database.clock import today
from app.entity.faults import FieldError
from app.entity.related import Related

from .code_lists import ArticleStatus, SurveyStatus


def article_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.status == ArticleStatus.PUBLISHED and not row.published_on:
        yield FieldError("published_on", "已发布的要填发布日期", "a published article needs the day")
    if row.published_on and row.expires_on and row.expires_on < row.published_on:
        yield FieldError("expires_on", "不能早于发布日期", "must not be before it is published")
    if row.published_on and row.published_on > today():
        yield FieldError("published_on", "不能晚于今天", "must not be later than today")


def survey_faults(row: Any, related: Related) -> Iterator[FieldError]:
    if row.closes_on < row.opens_on:
        yield FieldError("closes_on", "不能早于开始日期", "must not be before it opens")
    if row.status != SurveyStatus.DRAFT and not row.published_on:
        yield FieldError("published_on", "已发布的要填发布日期", "a published survey needs the day")
    if row.expected is not None and row.expected < 0:
        yield FieldError("expected", "不能小于 0", "must not be below 0")


def answer_faults(row: Any, related: Related) -> Iterator[FieldError]:
    survey = related.row(row, "survey")
    if survey is not None and row.answered_on < survey.opens_on:
        yield FieldError("answered_on", "不能早于问卷开始日期", "must not be before the survey opens")
    if row.answered_on > today():
        yield FieldError("answered_on", "不能晚于今天", "must not be later than today")
