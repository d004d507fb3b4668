"""`run.py person export CODE FILE` and `run.py person erase CODE`: a member's data, handed out or erased on request."""

import argparse
import os
from pathlib import Path

import orjson
from sqlalchemy import select

from app.access.actor import system_actor
from app.command_line import CommandFailed
from app.command_line.prepare import prepare_database
from app.database.engine import make_engine
from app.database.session import unit_of_work
from app.entity.labels import UserError
from app.entity.registry import registry
from app.history.erasing import STAYS, erase_person, export_person
from config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("export", "erase"), help="export: 导出 / hand out; erase: 删除 / erase")
    parser.add_argument("code", help="党员编号 / the member's code")
    parser.add_argument("--purpose", required=True, help="事由，记入审计记录 / why; kept in the audit trail")
    parser.add_argument("--file", type=Path, help="导出到这个 JSON 文件 / the file to write (export)")
    parser.add_argument("--yes", action="store_true", help="确认删除，此后不能恢复 / erase without asking")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    prepare_database(settings)
    if arguments.action == "erase" and not arguments.yes:
        answer = input(f"删除 {arguments.code} 的个人信息？此后不能恢复 / Erase for good? [y/N] ")
        if answer.strip().lower() not in ("y", "yes", "是"):
            return 1
    engine = make_engine(settings.database_url)
    try:
        with unit_of_work(engine, system_actor(f"person-{arguments.action}")) as session:
            model = registry["member"].model
            member = session.scalars(select(model).where(model.code == arguments.code)).one_or_none()
            if member is None:
                raise CommandFailed(
                    f"没有编号为“{arguments.code}”的党员。", f"There is no member with the code “{arguments.code}”."
                )
            if arguments.action == "export":
                document = export_person(session, member, arguments.purpose)
            else:
                erased = erase_person(session, member, arguments.purpose)
    except UserError as problem:
        raise CommandFailed(problem.label.zh, problem.label.en) from problem
    finally:
        engine.dispose()
    if arguments.action == "export":
        path = arguments.file or Path(f"person-{arguments.code}.json")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2))
        count = sum(len(rows) for rows in document.values())
        print(f"已写入 {path}：{count} 条记录 / {count} rows written")
        return 0
    print(f"已删除 {sum(erased.values())} 项个人信息 / {sum(erased.values())} values erased")
    print(f"{STAYS.zh}\n{STAYS.en}")
    return 0
