"""`run.py evaluate INDEX [--period P] [--as-of DATE] [--export FILE.csv]`: score now, in this process."""

import argparse
import csv
from datetime import date
from pathlib import Path

import polars as pl

from app.command_line import CommandFailed
from app.command_line.prepare import prepare_database
from app.command_line.progress import ProgressLine
from app.database.engine import make_engine
from app.entity.labels import Label, UserError
from app.evaluation.periods import checked_reason
from app.evaluation.progress import RecordedProgress, request_evaluation
from app.evaluation.running import Outcome, Request, evaluate
from app.rules.library import RuleLibrary
from app.rules.model import Index, Light
from config import Settings

LIGHT_WORDS = {
    Light.RED: "红",
    Light.ORANGE: "橙",
    Light.YELLOW: "黄",
    Light.BLUE: "蓝",
    Light.GREEN: "绿",
    Light.NO_DATA: "无数据",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("index", help="指数或预警的代码 / code of the index or warning")
    parser.add_argument("--period", help="周期，如 2026、2026Q3、2026-09 / the period (default: the current one)")
    parser.add_argument(
        "--as-of", type=date.fromisoformat, help="截至日期 / the date (default: today, or the period's end)"
    )
    parser.add_argument("--export", type=Path, metavar="FILE.csv", help="结果文件 / write the results to this file")
    parser.add_argument("--correct", metavar="REASON", help="更正已封账周期的原因 / why a closed period is corrected")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    prepare_database(settings)
    engine = make_engine(settings.database_url)
    library = RuleLibrary(settings.rules_dir, settings.data_dir)
    try:
        with ProgressLine() as line:

            def show(label: Label, done: int, total: int) -> None:
                line.show(label.zh, done, total)

            reason = checked_reason(arguments.correct)
            evaluation_id = request_evaluation(
                engine,
                cause="command",
                rules=(arguments.index,),
                period=arguments.period,
                as_of=arguments.as_of,
                correction_reason=reason,
            )
            progress = RecordedProgress(engine, evaluation_id, show)
            request = Request((arguments.index,), arguments.period, arguments.as_of, reason)
            try:
                outcomes = evaluate(engine, library, request, progress=progress, evaluation_id=evaluation_id)
            except UserError as problem:
                progress.fail(problem)
                raise
    except UserError as problem:
        raise CommandFailed(problem.label.zh, problem.label.en) from problem
    finally:
        engine.dispose()
    outcome = next(outcome for outcome in outcomes if outcome.rule.code == arguments.index)
    print(summary(outcome))
    if arguments.export:
        export(outcome, arguments.export)
        print(f"已写入 {arguments.export}")
    return 0


def summary(outcome: Outcome) -> str:
    """One line for people: how many subjects, and how many on each light."""
    column = "light" if isinstance(outcome.rule, Index) else "level"
    counts = dict(outcome.results.group_by(column).len().rows())
    lights = "，".join(f"{word} {counts[light]}" for light, word in LIGHT_WORDS.items() if counts.get(light))
    when = f"{outcome.period}，截至 {outcome.as_of}" if outcome.period else f"截至 {outcome.as_of}"
    kept = "" if outcome.run_id else "（未公布：已有更晚日期的结果）"
    return f"{outcome.rule.label.zh} {when}：{outcome.results.height} 个对象，{lights or '无结果'}{kept}"


def export(outcome: Outcome, path: Path) -> None:
    """Write one row a subject: code, score, light, ranks, and each node's score in full; UTF-8 with BOM, for Excel."""
    results = outcome.results.sort("rank" if "rank" in outcome.results.columns else "subject_code", nulls_last=True)
    if isinstance(outcome.rule, Index):
        nodes = [node.code for node in outcome.rule.root.walk() if node.code]
        columns = results.select(
            "subject_code",
            "score",
            "light",
            "rank",
            "peer_rank",
            *(pl.col(f"{node}.score").alias(node) for node in nodes),
        )
    else:
        columns = results.select("subject_code", "level", "value")
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(columns.columns)
        writer.writerows(["" if value is None else value for value in row] for row in columns.iter_rows())
