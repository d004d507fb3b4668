"""The machine room: for whom it opens, what it shows, and that nothing can be changed."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from app.console.queue_keys import key_details, read_keys
from app.console.settings_shown import settings_shown, without_password
from config import Settings
from tests.access.world import World
from tests.conftest import missing_service
from tests.console.site import Site

PAGES = (
    "/ops/", "/ops/evaluation/", "/ops/run/", "/ops/rule_version/", "/ops/period/", "/ops/change/", "/ops/lease/",
    "/ops/audit_event/", "/ops/sign_in_failure/", "/ops/queue/", "/ops/files/", "/ops/settings/",
)  # fmt: skip
LOCAL_REDIS = "redis://127.0.0.1:6379/0"


@pytest.mark.parametrize("page", PAGES)
def test_it_is_open_to_it_staff_alone(site: Site, page: str) -> None:
    assert "/login/" in site.stranger().get(page).headers["Location"]
    for name in ("district", "auditor", "member"):
        assert site.visitor(name).get(page).status_code == 403
    for language, word in (("zh", "机房"), ("en", "Machine room")):
        answer = site.visitor("it", language).get(page)
        assert answer.status_code == 200
        assert word in answer.text
        assert 'class="side"' in answer.text  # the way back is the console's own menu
        assert "<script>" not in answer.text
        assert " style=" not in answer.text


def test_nothing_can_be_written(site: Site) -> None:
    visitor = site.visitor("it")
    for page in ("run", "evaluation", "audit_event", "change"):
        for action in ("new", "edit", "delete", "action", "ajax/update"):
            answer = visitor.post(f"/ops/{page}/{action}/", {"id": "1", "rowid": "1", "action": "delete"})
            assert answer.status_code in (302, 404, 405), (page, action)
    for action in ("upload", "mkdir", "delete", "rename", "edit", "action"):
        answer = visitor.post(f"/ops/files/{action}/", {"path": "indices/x.yaml", "name": "y", "content": "z"})
        assert answer.status_code in (302, 404, 405), action
    endpoints = [rule.endpoint for rule in site.app.url_map.iter_rules() if rule.rule.startswith("/ops/queue")]
    assert sorted(endpoints) == ["ops_queue.index", "ops_queue.key"]


def test_sign_ins_are_shown_and_no_other_audit_events(site: Site, world: World) -> None:
    page = site.visitor("it").get("/ops/audit_event/").text
    assert re.search(r'<td data-l="事件">登录</td>', page)
    assert "roles_changed" not in page
    for name in ("member_id", "organization_id", world.members["branch_a1"].name):
        assert name not in page


def test_files_are_those_of_the_rules_folder_and_no_others(site: Site) -> None:
    visitor = site.visitor("it")
    folder = Path(site.settings.rules_dir)
    names = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
    page = visitor.get("/ops/files/").text
    assert all(name in page for name in names)
    for path in ("../config.py", "..%2fconfig.py", "/etc/passwd", "%2e%2e/config.py"):
        answer = visitor.get(f"/ops/files/download/{path}")
        assert answer.status_code in (302, 308, 404), path
        assert "PROJECT_DIR" not in answer.text


def test_settings_hold_no_secret(settings: Settings) -> None:
    secret = replace(
        settings,
        database_url="postgresql+psycopg://beacon:geheim@db/beacon?password=geheim",
        redis_url="redis://:geheim@queue:6379/0",
        celery_broker_url="amqp://guest:geheim@mq//",
        admin_password="geheim",
    )
    shown = dict(settings_shown(secret))
    assert "geheim" not in str(shown)
    assert shown["DATABASE_URL"] == "postgresql+psycopg://beacon:***@db/beacon"
    assert shown["REDIS_URL"] == "redis://***@queue:6379/0"
    assert "ADMIN_PASSWORD" not in shown
    assert without_password("sqlite:////data/beacon.db") == "sqlite:////data/beacon.db"


def test_keys_are_read_with_reading_commands(settings: Settings) -> None:
    server = redis.Redis.from_url(LOCAL_REDIS)
    try:
        server.ping()
    except redis.RedisError as problem:
        missing_service(f"Redis is away: {problem}")
    prefix = f"opstest-{uuid.uuid4().hex[:8]}"
    here = replace(settings, redis_url=LOCAL_REDIS)
    try:
        server.hset(f"{prefix}:job", mapping={"status": "queued", "data": b"\xff\xfe"})
        server.rpush(f"{prefix}:list", *range(80))
        server.set(f"{prefix}:text", "x" * 5000, ex=100)
        keys = {key.name.removeprefix(prefix): key for key in read_keys(here, prefix).keys}
        assert {name: (key.kind, key.length) for name, key in keys.items()} == {
            ":job": ("hash", 2),
            ":list": ("list", 80),
            ":text": ("string", 5000),
        }
        assert keys[":text"].seconds is not None
        assert dict(key_details(here, f"{prefix}:job").parts)["status"] == "queued"
        assert len(key_details(here, f"{prefix}:list").parts) == 50
        assert len(key_details(here, f"{prefix}:text").parts[0][1]) <= 501
        assert key_details(here, f"{prefix}:none") is None
    finally:
        server.delete(f"{prefix}:job", f"{prefix}:list", f"{prefix}:text")


def test_it_says_so_when_the_queue_is_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    away = replace(site.settings, redis_url="redis://127.0.0.1:1/0")
    view = next(view for view in site.app.extensions["admin"][0]._views if view.endpoint == "ops_queue")
    monkeypatch.setattr(view, "settings", away)
    assert "队列服务器没有应答" in site.visitor("it").get("/ops/queue/").text
    assert "队列服务器没有应答" in site.visitor("it").get("/ops/queue/key?name=x").text
