"""Settings: defaults, normalisation, and mistakes told in both languages."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import LONGEST_SOCKET_PATH, PROJECT_DIR, Settings, SettingsError, queue_socket


def test_defaults_need_no_environment():
    settings = Settings.from_environment({})
    assert settings.data_dir == PROJECT_DIR / "instance"
    assert settings.database_url == f"sqlite:///{PROJECT_DIR}/instance/beacon.db"
    assert settings.rules_dir == PROJECT_DIR / "rules"
    assert (settings.host, settings.port, settings.jobs_backend) == ("127.0.0.1", 8080, "rq")
    assert settings.redis_embedded
    assert settings.redis_url == f"unix://{settings.socket_path}"
    assert settings.admin_password is None
    assert settings.trusted_proxies == 0


def test_empty_variables_count_as_absent():
    empty = dict.fromkeys(("DATA_DIR", "DATABASE_URL", "REDIS_URL", "PORT", "JOBS_BACKEND", "ADMIN_PASSWORD"), "")
    assert Settings.from_environment(empty) == Settings.from_environment({})


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("postgresql://u:p@db/beacon", "postgresql+psycopg://u:p@db/beacon"),
        ("postgres://u:p@db/beacon?sslmode=require", "postgresql+psycopg://u:p@db/beacon?sslmode=require"),
        ("postgresql+psycopg://db/beacon", "postgresql+psycopg://db/beacon"),
        ("mysql://u@db/beacon", "mysql+pymysql://u@db/beacon?charset=utf8mb4"),
        ("mariadb://u@db/beacon?charset=gb18030", "mysql+pymysql://u@db/beacon?charset=gb18030"),
        ("sqlite:////srv/beacon.db", "sqlite:////srv/beacon.db"),
        ("sqlite://", "sqlite://"),
    ],
)
def test_database_urls_name_their_driver(given_url, expected):
    assert Settings.from_environment({"DATABASE_URL": given_url}).database_url == expected


def test_relative_paths_are_made_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({"DATABASE_URL": "sqlite:///records.db", "DATA_DIR": "data"})
    assert settings.database_url == f"sqlite:///{tmp_path}/records.db"
    assert settings.data_dir == tmp_path / "data"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "８０８０"),
        ("KEEP_VERSIONS_DAYS", "0"),
        ("HISTORY_KEEP_DAYS", "30"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "yes"),
        ("JOBS_BACKEND", "cron"),
        ("DATABASE_URL", "beacon.db"),
        ("DATABASE_URL", "postgresql://db"),
        ("REDIS_URL", "localhost:6379"),
        ("WEB_WORKERS", "-1"),
        ("QUEUE_PREFIX", "a b"),
    ],
)
def test_mistakes_are_told_in_both_languages_by_the_variables_name(name, value):
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({name: value})
    assert name in caught.value.zh
    assert name in caught.value.en


def test_secrets_are_not_shown():
    settings = Settings.from_environment(
        {"ADMIN_PASSWORD": "s3cret", "DATABASE_URL": "mysql://u:s3cret@db/beacon", "REDIS_URL": "redis://:s3cret@db"}
    )
    assert "s3cret" not in repr(settings)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=250))
def test_socket_path_is_short_wherever_the_data_lies(name):
    path = queue_socket(Path("/srv/很深的目录" * 8, name))
    assert len(os.fsencode(path)) <= LONGEST_SOCKET_PATH


def test_data_folders_have_sockets_of_their_own():
    assert queue_socket(Path("/srv/a")) != queue_socket(Path("/srv/b"))


def test_data_dir_is_closed_to_others(tmp_path):
    settings = Settings.from_environment({"DATA_DIR": str(tmp_path / "deep" / "data")})
    settings.create_data_dir()
    assert settings.data_dir.stat().st_mode & 0o077 == 0


def test_data_dir_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    settings = Settings.from_environment({"DATA_DIR": str(tmp_path / "file" / "data")})
    with pytest.raises(SettingsError, match="DATA_DIR"):
        settings.create_data_dir()
