"""An installation of the access world whose steps of imports are done at once instead of by a worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from flask import Flask

from app.console.list_address import narrowing
from app.exchange import exports, imports
from app.jobs import queue
from config import Settings
from tests.access.conftest import browser, web, web_file, web_world, world_file

__all__ = ["browser", "web", "web_file", "web_world", "world_file"]

Workbook = Callable[..., Path]


@pytest.fixture
def workbook(tmp_path: Path) -> Workbook:
    """Write rows into a workbook and give its path."""

    def write(*rows: list[object], name: str = "a.xlsx") -> Path:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def at_once(web: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Jobs are done when they are asked for; gives the list of what was asked for."""
    engine = web.extensions["engine"]
    asked: list[str] = []

    def do(name: str, **arguments: int) -> str:
        asked.append(name)
        tell = lambda _done, _total: None  # noqa: E731
        if name == "write_export":
            exports.write(engine, settings.data_dir, arguments["export_id"], narrowing, tell)
        elif name.endswith("_import"):
            work = {"check_import": imports.check, "save_import": imports.save, "undo_import": imports.undo}[name]
            work(engine, settings.data_dir, arguments["import_id"], tell)
        return f"{name}-1"

    monkeypatch.setattr(queue, "enqueue", do)
    monkeypatch.setattr(queue, "status", lambda job_id: None)
    return asked
