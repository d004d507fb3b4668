"""FAB's security manager, made ours: sign-in with lock-out, sessions that end, permissions read once.

FAB asks the database for each permission of a page, some twenty times. Here a request asks once whether anything has
changed of accounts, roles and permissions, and goes on with what the process knows (``known_accounts``): a change
counts from the next request on, in every process.

Nobody who is not signed in has any permission: FAB's public role is not used, and neither are its groups.
"""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta
from typing import Any

from flask import current_app, g, request, session
from flask_appbuilder.security.sqla.manager import SecurityManager as FabSecurityManager
from flask_appbuilder.security.sqla.models import User
from flask_login import LoginManager
from werkzeug.security import check_password_hash

from app.database.clock import now
from app.database.session import Session
from app.entity.labels import Label

from .account_views import AccountView, ChangePasswordView, PasswordResetView, RoleView, SignInView
from .accounts import Account
from .actor import Actor
from .api_keys import PREFIX, find_key, note_use
from .audit import AuditAction, record
from .bearer import KnownTokens
from .field_access import EVERYTHING, Clearance, clearance_of
from .lock_out import count_failure, forgive, locked_minutes
from .passwords import must_be_changed, set_password
from .permissions import OWN_ACCOUNT, Permission
from .policy import AccessPolicy
from .role_check import RoleRefused
from .roles import ADMINISTRATOR, granted
from .sign_in_api import SignInApi
from .web_session import KEY, finding_account, identity, known_accounts, present_account

_SEEN, _MARK = "seen", "mark"

WRONG = Label(
    "用户名或密码不正确。连续输错 {attempts} 次，该用户名将锁定 {minutes} 分钟。",
    "User name or password is wrong. After {attempts} failures in a row the name is locked for {minutes} minutes.",
)
LOCKED = Label(
    "输错次数过多，该用户名已锁定，请 {minutes} 分钟后再试，或请系统管理员解锁。",
    "Too many failures: this name is locked. Try again in {minutes} minutes, or ask IT staff to unlock it.",
)


class SecurityManager(FabSecurityManager):
    """Registered with ``AppBuilder(security_manager_class=…)``."""

    user_model = Account
    authdbview = SignInView
    security_api = SignInApi
    userdbmodelview = AccountView
    rolemodelview = RoleView
    resetmypasswordview = ChangePasswordView
    resetpasswordview = PasswordResetView
    userstatschartview = None

    def __init__(self, appbuilder: Any) -> None:
        self.policy: AccessPolicy = current_app.config["ACCESS_POLICY"]
        self._permissions: tuple[int, dict[frozenset[int], frozenset[Permission]]] = (-1, {})
        self._tokens = KnownTokens()
        super().__init__(appbuilder)

    def create_db(self) -> None:
        """Nothing: migrations make the tables, ``first_start`` the roles."""

    def create_login_manager(self, app: Any) -> LoginManager:
        manager = super().create_login_manager(app)
        manager.session_protection = "strong"
        return manager

    def register_views(self) -> None:
        """Sign-in, one's own password, accounts and roles. FAB's other pages would go past ``role_check``."""
        builder = self.appbuilder
        builder.add_api(self.security_api)
        self.user_view, self.auth_view = self.userdbmodelview, self.authdbview()
        for view in (self.resetpasswordview, self.resetmypasswordview, self.auth_view):
            builder.add_view_no_menu(view)
        self.user_view = builder.add_view(
            self.user_view, "Accounts", icon="fa-user-gear", label=AccountView.list_title, category="Security"
        )
        builder.add_view(self.rolemodelview, "Roles", icon="fa-key", label=RoleView.list_title, category="Security")

    # --- who it is ---

    def load_user(self, pk: Any) -> User | None:
        """The account of a session cookie; None once it has been idle too long, the password was changed, or the
        request comes with a token of its own."""
        if request.headers.get("Authorization"):
            return None
        user = self._account(pk)
        if user is None or session.get(_MARK) != _mark(user):
            return None
        moment = int(time.time())
        idle = moment - session.get(_SEEN, 0)
        if idle > self.policy.idle_minutes * 60:
            return None
        if idle > 30:  # not at each request, which would send the cookie each time
            session[_SEEN] = moment
        return user

    def load_user_jwt(self, _header: Any, data: dict[str, Any]) -> User | None:
        user = self._account(data["sub"])
        if user is None or must_be_changed(user, self.policy):
            return None
        g.user = user
        return user

    def account_of_token(self, token: str | None) -> User | None:
        """The account of a program's token or API key, None for one that is not valid, or whose password has to be
        changed."""
        if token is not None and token.startswith(PREFIX):
            return self._account_of_key(token)
        user_id = self._tokens.account_id(token) if token else None
        return self.load_user_jwt({}, {"sub": user_id}) if user_id is not None else None

    def _account_of_key(self, text: str) -> User | None:
        work: Session = self.session()
        accounts, secret = known_accounts(work), current_app.config["SECRET_KEY"]
        with finding_account(work):
            found = find_key(work, accounts, text, secret)
        if found is None or must_be_changed(found[1], self.policy):
            return None
        request.environ[KEY] = found[0]
        g.user, g._api_key_user = found[1], True
        note_use(current_app.extensions["engine"], accounts, text, found[0], secret)
        return found[1]

    def validate_api_key(self, api_key_string: str) -> User | None:
        """What FAB's ``protect`` asks; the key has been looked up once for this request."""
        return present_account()

    def _account(self, pk: Any) -> User | None:
        work: Session = self.session()
        with finding_account(work):
            user = known_accounts(work).account(work, int(pk))
        return user if user is not None and user.active else None

    def signed_in(self, user: User) -> None:
        """Begin a session for an account: nothing of the session before it stays but the language."""
        kept = session.get("locale")
        session.clear()
        if kept:
            session["locale"] = kept
        session[_SEEN], session[_MARK] = int(time.time()), _mark(user)

    def auth_user_db(self, username: str, password: str) -> User | None:
        """The account of a name and password; None with the reason in ``g.sign_in_problem``. Takes as long for a name
        that does not exist as for one that does."""
        work: Session = self.session()
        with finding_account(work):
            user = self.find_user(username=username.strip()) if username else None
            stored = user.password if user is not None and user.active and user.password else None
            fits = check_password_hash(stored or current_app.config["AUTH_DB_FAKE_PASSWORD_HASH_CHECK"], password or "")
            minutes = locked_minutes(work, username or "")
            if minutes or not (stored and fits):
                self._failed(work, username or "", user, minutes)
                return None
            forgive(work, username)
            user.login_count = (user.login_count or 0) + 1
            user.fail_login_count = 0
            user.last_login = now()
            record(work, Actor(user.username, user.id), AuditAction.SIGNED_IN, address=_address())
            work.commit()
        return user

    def _failed(self, work: Session, username: str, user: User | None, minutes: int) -> None:
        actor = Actor(username or "-", user.id if user else None)
        record(work, actor, AuditAction.SIGN_IN_FAILED, address=_address())
        if not minutes:
            if user is not None:
                user.fail_login_count = (user.fail_login_count or 0) + 1
            if count_failure(work, username, self.policy):
                minutes = self.policy.lock_minutes
                record(work, actor, AuditAction.LOCKED, address=_address())
        work.commit()
        policy = self.policy
        wrong = WRONG.format(attempts=policy.sign_in_attempts, minutes=policy.lock_minutes)
        g.sign_in_problem = LOCKED.format(minutes=minutes) if minutes else wrong

    def on_user_logout(self, user: User) -> None:
        record(self.session(), Actor(user.username, user.id), AuditAction.SIGNED_OUT, address=_address())
        self.session.commit()

    def reset_password(self, userid: Any, password: str, *, must_change: bool = True) -> None:
        """Set an account's password. Raises WeakPassword. Whoever set another's hands it over: it must be changed."""
        work: Session = self.session()
        user = work.get(User, int(userid))
        set_password(work, user, password, self.policy, must_change=must_change)
        action = AuditAction.PASSWORD_RESET if must_change else AuditAction.PASSWORD_CHANGED
        acting = identity(work)
        actor = acting.actor if acting else Actor("-")
        record(work, actor, action, entity="account", row_id=user.id, detail=user.username, address=_address())
        work.commit()

    def check_may_manage(self, account: User) -> None:
        """Accounts of administrators are managed by administrators alone. Raises RoleRefused."""
        found = identity(self.session())
        if found is not None and ADMINISTRATOR in found.role_names:
            return
        if any(role.name == ADMINISTRATOR for role in account.roles):
            raise RoleRefused(
                "只有超级管理员可以管理超级管理员的账号。",
                "Only an administrator of everything may manage such an account.",
            )

    def must_change_password(self) -> bool:
        """Whether whoever is signed in has to change the password before anything else."""
        account = present_account()
        return account is not None and must_be_changed(account, self.policy)

    # --- what they may do ---

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Whether whoever acts now may do this; ``menu_access`` follows from what a menu item leads to."""
        found = identity(self.session())
        if found is None:
            return False
        if ADMINISTRATOR in found.role_names or (permission_name, view_name) in OWN_ACCOUNT:
            return True
        if permission_name == "menu_access":
            return view_name in self.get_user_menu_access([view_name])
        return (permission_name, view_name) in self._of_roles(found.role_ids, found.version)

    def may(self, permission: Permission) -> bool:
        """``has_access`` for a permission that ``permissions.py`` names."""
        return self.has_access(*permission)

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        return False

    def get_public_permissions(self) -> list[Any]:
        return []

    def get_user_roles(self, user: User) -> list[Any]:
        return list(user.roles) if user.is_authenticated else []

    def get_user_permissions(self, user: User) -> set[tuple[str, str]]:
        roles = frozenset(role.id for role in self.get_user_roles(user))
        found = identity(self.session())
        return {tuple(each) for each in self._of_roles(roles, found.version if found else -1)} if roles else set()

    def clearance(self) -> Clearance:
        """The restricted classes of fields that whoever acts now may see."""
        found = identity(self.session())
        if found is None:
            return frozenset()
        if ADMINISTRATOR in found.role_names:
            return EVERYTHING
        return clearance_of(self._of_roles(found.role_ids, found.version))

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        """The menu items, of these names, that lead to a page whoever acts may open, and the groups that hold one."""
        wanted = None if menu_names is None else set(menu_names)
        shown = set()
        for top in self.appbuilder.menu.get_list():
            items = [item for item in (top.childs or [top]) if self._leads_somewhere(item)]
            shown.update(item.name for item in items)
            if items:
                shown.add(top.name)
        return shown if wanted is None else shown & wanted

    def _leads_somewhere(self, item: Any) -> bool:
        view = item.baseview
        if view is None or item.name == "-":
            return False
        method = view.default_view
        action = (view.method_permission_name or {}).get(method, method)
        return self.has_access(f"can_{action}", view.class_permission_name or type(view).__name__)

    def _of_roles(self, role_ids: frozenset[int], version: int) -> frozenset[Permission]:
        """What holders of these roles may do; read again when the version has changed."""
        kept_version, kept = self._permissions
        if kept_version != version or version < 0:
            kept = {}
            self._permissions = (version, kept)
        if role_ids not in kept:
            kept[role_ids] = granted(self.session().connection(), role_ids)
        return kept[role_ids]


def _mark(user: User) -> str:
    """Changes with the password, so that a change ends all other sessions of the account."""
    return hashlib.sha256((user.password or "").encode()).hexdigest()[:16]


def _address() -> str:
    return (request.remote_addr or "")[:45]


LIFETIME = timedelta(hours=12)
"""No session cookie is taken for longer, busy or not."""
