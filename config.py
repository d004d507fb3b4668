"""Every setting of Beacon, read once from the environment, with defaults that work on a laptop.

Nothing here imports Flask or touches the disk: `Settings.from_environment()` is a pure reading of the variables, so
that the command line, the workers, the web server and the tests all get the same frozen value.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode

TIME_ZONE = "Asia/Shanghai"
"""The zone of every date, period and schedule, wherever the server stands."""

PROJECT_DIR = Path(__file__).resolve().parent
JOBS_BACKENDS = ("rq", "celery")

# sun_path of a unix socket holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
LONGEST_SOCKET_PATH = 103

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]+")
_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
}


class SettingsError(ValueError):
    """A setting that cannot be used. `zh` and `en` say which one and how to mend it; `str()` gives both."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")
        self.zh = zh
        self.en = en


@dataclass(frozen=True)
class Settings:
    """What one installation is run with. Make it with `from_environment`; tests may use `dataclasses.replace`."""

    data_dir: Path
    """Everything that has to be kept: the SQLite file, the queue, keys, frames of metrics (`DATA_DIR`)."""
    database_url: str = field(repr=False)
    """SQLAlchemy URL with the driver named (`DATABASE_URL`)."""
    redis_url: str = field(repr=False)
    """The queue's server: `REDIS_URL`, or the socket of the embedded one. Always usable by redis-py's `from_url`."""
    redis_embedded: bool
    """True when `serve` starts the queue's server itself because `REDIS_URL` is not set."""
    rules_dir: Path
    port: int = 8080
    host: str = "127.0.0.1"
    """The console speaks plain HTTP, so it listens on this machine alone until `HOST` says otherwise: put a reverse
    proxy with TLS in front of it before opening it to a network."""
    jobs_backend: str = "rq"
    celery_broker_url: str = field(default="amqp://guest:guest@127.0.0.1:5672//", repr=False)
    queue_prefix: str = "beacon"
    """Begins the name of every queue, so that two installations can share one Redis or RabbitMQ (`QUEUE_PREFIX`)."""
    admin_password: str | None = field(default=None, repr=False)
    """Password of `admin` at the first start only; generated when absent (`ADMIN_PASSWORD`)."""
    web_workers: int = 2
    web_threads: int = 8
    keep_versions_days: int = 400
    """How long replaced versions of scores are kept, if nothing needs them (`KEEP_VERSIONS_DAYS`)."""
    history_keep_days: int = 3_650
    """How long history and audit trail are kept (`HISTORY_KEEP_DAYS`); the law asks for six months of logs at least
    (Cybersecurity Law, article 21) and three years of records on personal data (Personal Information Protection Law,
    article 56)."""
    trusted_proxies: int = 0
    """How many reverse proxies set `X-Forwarded-*` (`TRUSTED_PROXIES`); further ones are not believed."""
    api_rate_limit: str = "600/minute"
    """How many requests an API key may make: ``number/second``, ``/minute`` or ``/hour`` (`API_RATE_LIMIT`)."""
    api_cors_origins: tuple[str, ...] = ()
    """Sites whose pages may call the API from a browser, separated by commas (`API_CORS_ORIGINS`); none by default."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read and check the settings. An empty variable counts as absent. Raises SettingsError."""
        given = {name: value.strip() for name, value in environ.items() if value.strip()}
        data_dir = _path(given.get("DATA_DIR"), PROJECT_DIR / "instance")
        redis_url = given.get("REDIS_URL")
        if redis_url and not redis_url.startswith(("redis://", "rediss://", "unix://")):
            raise SettingsError(
                "REDIS_URL 应以 redis://、rediss:// 或 unix:// 开头。",
                "REDIS_URL has to begin with redis://, rediss:// or unix://.",
            )
        return cls(
            data_dir=data_dir,
            database_url=_database_url(given.get("DATABASE_URL"), data_dir),
            redis_url=redis_url or "unix://" + quote(str(queue_socket(data_dir))),
            redis_embedded=redis_url is None,
            rules_dir=_path(given.get("RULES_DIR"), PROJECT_DIR / "rules"),
            port=_whole_number(given, "PORT", 8080, 1, 65535),
            host=given.get("HOST", "127.0.0.1"),
            jobs_backend=_choice(given, "JOBS_BACKEND", JOBS_BACKENDS),
            celery_broker_url=given.get("CELERY_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//"),
            queue_prefix=_queue_prefix(given.get("QUEUE_PREFIX", "beacon")),
            admin_password=environ.get("ADMIN_PASSWORD") or None,
            web_workers=_whole_number(given, "WEB_WORKERS", 2, 1, 64),
            web_threads=_whole_number(given, "WEB_THREADS", 8, 1, 256),
            keep_versions_days=_whole_number(given, "KEEP_VERSIONS_DAYS", 400, 1, 36_500),
            history_keep_days=_whole_number(given, "HISTORY_KEEP_DAYS", 3_650, 180, 36_500),
            trusted_proxies=_whole_number(given, "TRUSTED_PROXIES", 0, 0, 16),
            api_rate_limit=_rate(given.get("API_RATE_LIMIT", "600/minute")),
            api_cors_origins=_origins(given.get("API_CORS_ORIGINS", "")),
        )

    @property
    def database_in_memory(self) -> bool:
        """True for a SQLite database that lives in one process only, which tests may use and `serve` refuses."""
        return self.database_url in ("sqlite://", "sqlite:///:memory:")

    @property
    def data_key(self) -> str:
        """A short name for DATA_DIR, for what lies outside it but belongs to it."""
        return _short_hash(self.data_dir)

    @property
    def socket_path(self) -> Path:
        """Where the embedded queue server listens. Its folder belongs to this user alone."""
        return queue_socket(self.data_dir)

    @property
    def address(self) -> str:
        """The console's address as typed into a browser on this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def create_data_dir(self) -> None:
        """Make DATA_DIR, readable by its owner alone, and try that it can be written. Raises SettingsError."""
        try:
            if not self.data_dir.exists():
                self.data_dir.mkdir(parents=True, mode=0o700)
            with tempfile.TemporaryFile(dir=self.data_dir) as trial:
                trial.write(b"beacon")
        except OSError as error:
            raise SettingsError(
                f"无法写入 DATA_DIR {self.data_dir}（{error.strerror}）："
                "请检查权限和磁盘空间，或用 DATA_DIR 指定其他目录。",
                f"Cannot write to DATA_DIR {self.data_dir} ({error.strerror}): check its permissions and the free disk "
                "space, or name another folder with DATA_DIR.",
            ) from error


def queue_socket(data_dir: Path) -> Path:
    """Path of the embedded queue server's socket for one data folder: short, and the same in every process.

    Systems refuse socket paths of more than some 104 bytes and a data folder may lie deep, so the socket stands in a
    folder of this user in the temporary directory, named by a hash of the data folder.
    """
    name = _short_hash(data_dir) + ".sock"
    folder = f"beacon-{os.getuid()}"
    path = Path(tempfile.gettempdir(), folder, name)
    return path if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH else Path("/tmp", folder, name)


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _path(given: str | None, default: Path) -> Path:
    return Path(given).expanduser().resolve() if given else default


def _whole_number(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise SettingsError(
            f"{name} 应为 {least} 到 {most} 的整数，现为“{text}”。",
            f"{name} has to be a whole number from {least} to {most}; it is “{text}”.",
        )
    return int(text)


def _choice(given: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = given.get(name, allowed[0]).lower()
    if value not in allowed:
        raise SettingsError(
            f"{name} 只能是 {'、'.join(allowed)}，现为“{value}”。",
            f"{name} has to be one of {', '.join(allowed)}; it is “{value}”.",
        )
    return value


def _rate(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,8}/(second|minute|hour)", text):
        raise SettingsError(
            f"API_RATE_LIMIT 应形如 600/minute（second、minute、hour），现为“{text}”。",
            f"API_RATE_LIMIT has to look like 600/minute (second, minute, hour); it is “{text}”.",
        )
    return text


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())
    for origin in origins:
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?", origin):
            raise SettingsError(
                f"API_CORS_ORIGINS 应为逗号分开的网站地址，如 https://portal.example.cn，现有“{origin}”。",
                "API_CORS_ORIGINS has to be addresses of sites separated by commas, such as "
                f"https://portal.example.cn; it has “{origin}”.",
            )
    return origins


def _queue_prefix(prefix: str) -> str:
    if not _SAFE_NAME.fullmatch(prefix):
        raise SettingsError(
            f"QUEUE_PREFIX 只能用字母、数字、下划线和连字符，现为“{prefix}”。",
            f"QUEUE_PREFIX may hold letters, digits, underscores and hyphens only; it is “{prefix}”.",
        )
    return prefix


def _database_url(given: str | None, data_dir: Path) -> str:
    if given is None:
        return f"sqlite:///{data_dir / 'beacon.db'}"
    scheme, separator, rest = given.partition("://")
    if not separator or not re.fullmatch(r"[a-z][a-z0-9_+]*", scheme):
        raise SettingsError(
            "DATABASE_URL 应形如 postgresql://用户:密码@主机/库名。",
            "DATABASE_URL has to look like postgresql://user:password@host/database.",
        )
    if scheme == "sqlite":
        return f"sqlite://{_absolute_sqlite_path(rest)}"
    scheme = _DRIVERS.get(scheme, scheme)
    address, _, query = rest.partition("?")
    if not address.partition("/")[2]:
        raise SettingsError("DATABASE_URL 没有写明库名。", "DATABASE_URL does not name a database.")
    options = parse_qsl(query, keep_blank_values=True)
    # MySQL's own default may be a three-byte "utf8", which cannot hold the rarer Chinese characters of names.
    if scheme == "mysql+pymysql" and "charset" not in dict(options):
        options.append(("charset", "utf8mb4"))
    return f"{scheme}://{address}" + (f"?{urlencode(options)}" if options else "")


def _absolute_sqlite_path(rest: str) -> str:
    """The part behind `sqlite://`, with a relative path made absolute: the processes need not share a folder."""
    path, question_mark, query = rest.removeprefix("/").partition("?")
    if path in ("", ":memory:") or path.startswith("file:"):
        return rest
    return f"/{Path(path).expanduser().resolve()}{question_mark}{query}"
