"""`run.py keys rotate`: a new key for encrypted columns, while the system runs."""

import argparse
import os

from app.access.actor import system_actor
from app.access.audit import AuditAction, record
from app.command_line import CommandFailed
from app.command_line.prepare import prepare_database
from app.command_line.progress import ProgressLine
from app.database.encryption import keyring
from app.database.engine import make_engine
from app.database.session import unit_of_work
from app.entity.key_rotation import KeysInUse, add_key, encrypt_anew
from config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("rotate",), help="rotate: 更换 / a new key, and all rows under it")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    if os.environ.get("FIELD_KEYS"):
        raise CommandFailed(
            "密钥来自环境变量 FIELD_KEYS，本命令不能改写它：请先把密钥存入 DATA_DIR/field-keys.json 并去掉该变量。",
            "The keys come from FIELD_KEYS, which this command cannot change: put them into DATA_DIR/field-keys.json "
            "and take the variable away.",
        )
    prepare_database(settings)
    engine = make_engine(settings.database_url)
    try:
        old, new = add_key(settings.data_dir)
        with ProgressLine() as line:
            count = encrypt_anew(engine, keyring(), lambda done, total: line.show("加密 / Encrypting", done, total))
        actor = system_actor("keys")
        with unit_of_work(engine, actor) as session:
            record(session, actor, AuditAction.KEYS_ROTATED, detail=f"{old} {new} {count}")
    except KeysInUse as problem:
        raise CommandFailed(
            "仍有程序在用旧密钥写入：请重启它们，然后再次运行本命令。旧密钥仍在，数据都可读取。",
            "Some process still writes with the old key: restart it and run this again. The old key is kept; "
            "everything can be read.",
        ) from problem
    finally:
        engine.dispose()
    print(f"新密钥 {new} 已启用，重新加密 {count:,} 个值；旧密钥 {old} 仍保留 / {count:,} values are under {new} now")
    return 0
