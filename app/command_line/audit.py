"""`run.py audit verify`: whether history and audit trail are as they were sealed; exits with 1 if not."""

import argparse

from app.command_line.prepare import prepare_database
from app.command_line.progress import ProgressLine
from app.database.engine import make_engine
from app.history.verifying import Verification, verify
from config import Settings

SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("verify",), help="verify: 验证 / verify the chain")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    prepare_database(settings)
    engine = make_engine(settings.database_url)
    try:
        with engine.connect() as connection, ProgressLine() as line:
            found = verify(connection, lambda done, total: line.show("验证 / Verifying", done, total))
    finally:
        engine.dispose()
    show(found)
    return 0 if found.is_whole else 1


def show(found: Verification) -> None:
    """What was verified, and each fault on a line of its own."""
    print(
        f"验证了批次 {found.first_no} 至 {found.last_no}：变更记录 {found.changes:,} 条，审计记录 {found.events:,} 条"
        f" / batches {found.first_no} to {found.last_no}: {found.changes:,} changes, {found.events:,} audit events"
    )
    if found.older_events:
        print(
            f"另有 {found.older_events:,} 条审计记录早于链条，不在验证范围内"
            f" / {found.older_events:,} audit events are older than the chain and not covered"
        )
    print(f"末批封印 / last seal: {found.last_seal}")
    for fault in found.faults[:SHOWN]:
        print(f"  ✗ {fault.zh} / {fault.en}")
    if len(found.faults) > SHOWN:
        rest = len(found.faults) - SHOWN
        print(f"  …… 另有 {rest} 处 / and {rest} more")
    print("链条完整，未见改动 / the chain is whole" if found.is_whole else "发现改动 / tampering was found")
