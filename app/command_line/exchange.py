"""`run.py import ENTITY FILE` and `run.py export ENTITY FILE`."""

import argparse
from pathlib import Path

from app.access.actor import system_actor
from app.command_line import CommandFailed
from app.command_line.prepare import prepare_database
from app.command_line.progress import ProgressLine
from app.database.engine import make_engine
from app.database.session import unit_of_work
from app.entity.labels import Label, UserError
from app.entity.registry import EntityType, registry
from app.exchange.exporting import export_file
from app.exchange.faults import ImportFaulty
from app.exchange.importing import import_file
from config import Settings

SHOWN = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("entity", help="实体的代码，如 organization / the entity's code")
    parser.add_argument("file", type=Path, help=".xlsx 或 .csv 文件 / a file")
    parser.add_argument("--labels", action="store_true", help="导出时列名用中文 / export with Chinese column names")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    prepare_database(settings)
    entity = entity_named(arguments.entity)
    engine = make_engine(settings.database_url)
    try:
        if arguments.command == "import":
            return take(engine, entity, arguments.file)
        with unit_of_work(engine, system_actor("export"), writes=False) as session:
            count = export_file(session, entity, arguments.file, labels=arguments.labels)
        print(f"已写入 {arguments.file}：{entity.label.zh} {count:,} {entity.options.measure}")
        return 0
    except ImportFaulty as problem:
        raise CommandFailed(listed(problem, "zh"), listed(problem, "en")) from problem
    except UserError as problem:
        raise CommandFailed(problem.label.zh, problem.label.en) from problem
    finally:
        engine.dispose()


def take(engine, entity: EntityType, file: Path) -> int:
    """Import a file in one transaction, and say what it did."""
    with ProgressLine() as line, unit_of_work(engine, system_actor("import")) as session:

        def show(label: Label, done: int, total: int) -> None:
            line.show(f"{label.zh} {file.name}", done, total)

        receipt = import_file(session, entity, file, show)
    counts = f"新增 {receipt.new:,}，更新 {receipt.changed:,}，未变 {receipt.unchanged:,}"
    print(f"已导入 {file.name}：{entity.label.zh}{counts}")
    return 0


def entity_named(code: str) -> EntityType:
    """The entity of a code. Raises CommandFailed with the codes there are."""
    entity = registry.get(code)
    if entity is None:
        known = ", ".join(sorted(each.code for each in registry))
        raise CommandFailed(f"没有“{code}”这种记录；有：{known}", f"There is no entity “{code}”; there are: {known}")
    return entity


def listed(problem: ImportFaulty, language: str) -> str:
    """The faults, a line each."""
    row, column = ("第 {} 行", "“{}”列") if language == "zh" else ("row {}", "column “{}”")
    lines = [problem.label.in_language(language)]
    for fault in problem.faults[:SHOWN]:
        where = row.format(fault.row) + (f"，{column.format(fault.column)}" if fault.column else "")
        lines.append(f"  {where}：{fault.reason.in_language(language)}")
    if len(problem.faults) > SHOWN:
        rest = len(problem.faults) - SHOWN
        lines.append(f"  …… 另有 {rest} 处" if language == "zh" else f"  … and {rest} more")
    return "\n".join(lines)
