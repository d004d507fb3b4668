"""The pages people work on: overview, scorecards, league table, warnings, evaluations, and the homes of secretaries
and members. Each module is one page: it reads results in the reader's scope and fills its template's context."""

from __future__ import annotations

from typing import Any

from flask import Flask

from app.entity.labels import Label
from app.rules.library import RuleLibrary
from config import Settings

from ..presentation import lazy
from .attachments import AttachmentsPage, files_shown
from .audit import AuditPage
from .context import LIBRARY
from .dashboard import DashboardPage
from .evaluations import EvaluationsPage
from .exports import ExportsPage, export_url
from .history import HistoryPage
from .imports import ImportsPage, import_url
from .league import LeaguePage
from .performance_form import PerformanceFormPage
from .persons import PersonPage
from .records import RecordsPage
from .scorecards import ScorecardPage
from .trash import TrashPage
from .warnings import WarningsPage
from .what_if import WhatIfPage

ENTRIES = (
    (DashboardPage, "menu.dashboard", Label("总览", "Overview"), "fa-gauge-high", "overview"),
    (WarningsPage, "menu.warnings", Label("预警", "Warnings"), "fa-bell", "overview"),
    (LeaguePage, "menu.league", Label("排行榜", "League table"), "fa-ranking-star", "overview"),
    (ScorecardPage, "menu.scorecards", Label("记分卡", "Scorecard"), "fa-chart-simple", "overview"),
    (ImportsPage, "menu.imports", Label("导入", "Imports"), "fa-upload", "records"),
    (ExportsPage, "menu.exports", Label("我的导出", "My exports"), "fa-file-export", "records"),
    (TrashPage, "menu.trash", Label("回收站", "Trash"), "fa-trash-can", "records"),
    (AuditPage, "menu.audit", Label("审计记录", "Audit trail"), "fa-clipboard-list", "system"),
    (EvaluationsPage, "menu.evaluations", Label("评定", "Evaluations"), "fa-rotate", "rules"),
)


def install(app: Flask, appbuilder: Any, settings: Settings) -> None:
    """Add the pages and their menu entries, and the rules they read."""
    app.extensions[LIBRARY] = RuleLibrary(settings.rules_dir, settings.data_dir)
    for page, name, label, icon, category in ENTRIES:
        appbuilder.add_view(page, name, label=lazy(label), icon=icon, category=category)
    appbuilder.add_view_no_menu(RecordsPage)
    appbuilder.add_view_no_menu(WhatIfPage)
    appbuilder.add_view_no_menu(AttachmentsPage)
    app.jinja_env.globals.update(import_url=import_url, export_url=export_url, files_shown=files_shown)
    appbuilder.add_view_no_menu(PerformanceFormPage)
    appbuilder.add_view_no_menu(HistoryPage)
    appbuilder.add_view_no_menu(PersonPage)
