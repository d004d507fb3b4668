"""The page that signing in leads to: the overview of administrators, the home of a secretary or a member, or, for
those who see no records, FAB's plain index with what they may open."""

from __future__ import annotations

from flask import redirect, url_for
from flask_appbuilder import IndexView, expose
from flask_login import current_user
from werkzeug.wrappers import Response

from app.access.permissions import DASHBOARD
from app.access.scope import actor_of
from app.evaluation import results

from .homes import home_of_branch, home_of_member


class StartPage(IndexView):
    """``/``."""

    @expose("/")
    def index(self) -> str | Response:
        if not current_user.is_authenticated:
            return redirect(url_for(f"{self.appbuilder.sm.auth_view.endpoint}.login"))
        self.update_redirect()
        session = self.appbuilder.session
        actor, name = actor_of(session), current_user.get_full_name()
        if actor.member_id and not actor.is_staff:
            context = home_of_member(session, actor, name)
            return self.render_template("beacon/member.html", **context)
        if not self.appbuilder.sm.has_access(*DASHBOARD):
            return self.render_template(self.index_template)
        if actor.tier == results.LEAF_TIER:
            context = home_of_branch(session, actor, name)
            return self.render_template("beacon/home.html", **context)
        return redirect(url_for("DashboardPage.show"))
