"""Settings of sign-in, with defaults that meet GB/T 22239-2019 (等保 2.0), level 2."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from app.entity.labels import Label
from config import SettingsError


@dataclass(frozen=True)
class AccessPolicy:
    """What passwords and sessions have to keep to. Each field has an environment variable of its name in capitals."""

    password_length: int = 10
    """At least so many characters (level 3 asks for 12)."""
    password_history: int = 5
    """So many passwords back may not be used again."""
    password_days: int = 90
    """A password has to be changed after so many days; 0 for never."""
    sign_in_attempts: int = 5
    """So many failures in a row lock the name."""
    lock_minutes: int = 30
    idle_minutes: int = 30
    """A session without requests ends after so long."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> AccessPolicy:
        """Read ``PASSWORD_LENGTH`` and the others. Raises SettingsError for what is no number, or too small."""
        least = {"password_length": 8, "password_history": 0, "password_days": 0}
        values = {}
        for name in cls.__dataclass_fields__:
            given = environ.get(name.upper(), "").strip()
            if not given:
                continue
            lowest = least.get(name, 1)
            if not given.isascii() or not given.isdigit() or int(given) < lowest:
                raise SettingsError(
                    f"{name.upper()} 应为不小于 {lowest} 的整数，现为“{given}”。",
                    f"{name.upper()} has to be a whole number of at least {lowest}; it is “{given}”.",
                )
            values[name] = int(given)
        return cls(**values)

    @property
    def password_rules(self) -> list[Label]:
        """The demands on a password, in words."""
        rules = [
            Label(f"至少 {self.password_length} 个字符", f"At least {self.password_length} characters"),
            Label(
                "同时含有大写字母、小写字母、数字和符号",
                "Capital letters, small letters, digits and symbols, all of them",
            ),
            Label("不含用户名", "Without the user name"),
        ]
        if self.password_history:
            rules.append(
                Label(
                    f"与最近 {self.password_history} 次用过的密码不同",
                    f"Different from the last {self.password_history} passwords",
                )
            )
        if self.password_days:
            rules.append(Label(f"每 {self.password_days} 天更换一次", f"To be changed every {self.password_days} days"))
        return rules
