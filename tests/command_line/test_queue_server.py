"""The embedded queue server keeps its records and never stands in the way of the next start."""

import os
import stat
import subprocess
from dataclasses import replace

import pytest
import redis

from app.command_line import CommandFailed
from app.command_line.queue_server import answering_server, answers, make_socket_folder, make_way, queue_server
from app.lifeline import starts_with_lifeline
from config import LONGEST_SOCKET_PATH, Settings
from tests.processes import end, is_alive, wait_until


@pytest.fixture
def started(settings):
    """Starts the server as `serve` does, but for the supervisor."""
    processes = []

    def start(settings: Settings = settings) -> subprocess.Popen:
        make_way(settings)
        command = starts_with_lifeline(list(queue_server(settings).arguments))
        processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        wait_until(lambda: answers(settings))
        return processes[-1]

    yield start
    for process in processes:
        end(process)
    settings.socket_path.unlink(missing_ok=True)


def client(settings: Settings) -> redis.Redis:
    return redis.Redis.from_url(settings.redis_url)


def test_settings_url_reaches_it_and_no_other_user_does(started, settings):
    server = started()
    assert client(settings).ping()
    assert answering_server(settings) == server.pid
    assert stat.S_IMODE(settings.socket_path.parent.stat().st_mode) == 0o700
    assert client(settings).config_get("port")["port"] == "0"


def test_records_survive_sigkill_and_the_socket_left_behind_is_no_obstacle(started, settings):
    server = started()
    client(settings).set("key", "value")
    end(server)
    assert settings.socket_path.exists()
    started()
    assert client(settings).get("key") == b"value"


def test_server_without_a_supervisor_is_replaced_with_its_records(started, settings):
    orphan = started()
    client(settings).set("key", "value")
    replacement = started()
    assert not is_alive(orphan.pid)
    assert answering_server(settings) == replacement.pid
    assert client(settings).get("key") == b"value"


def test_server_whose_socket_is_gone_is_found_by_its_record(started, settings):
    orphan = started()
    settings.socket_path.unlink()
    started()
    assert not is_alive(orphan.pid)


def test_deep_data_folder(started, settings):
    deep = replace(settings, data_dir=settings.data_dir / ("很深的目录" * 5) / ("d" * 100))
    deep.create_data_dir()
    deep = Settings.from_environment({"DATA_DIR": str(deep.data_dir)})
    assert len(os.fsencode(deep.data_dir)) > LONGEST_SOCKET_PATH
    started(deep)
    assert client(deep).ping()
    deep.socket_path.unlink()


def test_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "beacon"
    folder.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(CommandFailed, match="TMPDIR"):
        make_socket_folder(folder)
    monkeypatch.undo()
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(CommandFailed, match="TMPDIR"):
        make_socket_folder(tmp_path / "link")


def test_folder_open_to_others_is_closed(tmp_path):
    folder = tmp_path / "beacon"
    folder.mkdir(mode=0o755)
    make_socket_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
