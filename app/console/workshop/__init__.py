"""The rule workshop: rules read as sentences, written in forms, tried out, approved."""

from __future__ import annotations

from typing import Any

from app.entity.labels import Label

from ..presentation import lazy
from .adjustments import AdjustmentsPage
from .approvals import ApprovalPage
from .cases import CasesPage
from .dry_runs import DryRunPage
from .editor import WorkshopEditor
from .overview import WorkshopPage
from .robustness import RobustnessPage
from .versions import VersionsPage
from .weighing import WeighingPage
from .workbooks import WorkbookPage


def install(appbuilder: Any) -> None:
    """Add the workshop's pages and its menu entry."""
    label = lazy(Label("规则工坊", "Rule workshop"))
    appbuilder.add_view(WorkshopPage, "menu.workshop", label=label, icon="fa-sliders", category="rules")
    adjust = lazy(Label("本级调整", "Adjustments"))
    appbuilder.add_view(AdjustmentsPage, "menu.adjustments", label=adjust, icon="fa-code-branch", category="rules")
    appbuilder.add_view_no_menu(WorkshopEditor)
    for page in (DryRunPage, CasesPage, ApprovalPage, VersionsPage, RobustnessPage, WeighingPage, WorkbookPage):
        appbuilder.add_view_no_menu(page)
