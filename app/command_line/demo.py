"""`run.py demo --scale small|district|city`: demonstration records in an empty database."""

import argparse
import time

from app.command_line import CommandFailed
from app.command_line.prepare import prepare_database
from app.command_line.progress import ProgressLine
from app.database.engine import make_engine
from app.demonstration import fill
from app.demonstration.accounts import FILE
from app.demonstration.scales import SCALES
from app.entity.labels import UserError
from config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scale",
        choices=list(SCALES),
        default="small",
        help="small：约 600 个组织、6 千名党员；district：6 千、12 万、300 万条记录；city：更大 / how much",
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    prepare_database(settings)
    engine = make_engine(settings.database_url)
    started = time.monotonic()
    try:
        with ProgressLine() as progress:
            counts = fill(engine, arguments.scale, progress.show, data_dir=settings.data_dir)
    except UserError as problem:
        raise CommandFailed(problem.label.zh, problem.label.en) from problem
    finally:
        engine.dispose()
    records = sum(counts.values()) - counts["bc_organization"] - counts["bc_member"]
    print(
        f"已生成 {counts['bc_organization']:,} 个党组织、{counts['bc_member']:,} 名党员、{records:,} 条记录，"
        f"用时 {time.monotonic() - started:.0f} 秒。演示账号见 {settings.data_dir / FILE}"
    )
    return 0
