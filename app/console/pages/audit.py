"""The audit trail for auditors: who changed which record and how, and what else has to be known afterwards; to look
through, to have verified, and as a file.

Auditors see no records: of a change they are told who, when, which record by its number, and the fields. Values before
and after, and the record's code, are for those who may also open the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from flask import Response, flash, redirect, request, send_file, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select

from app.access import audit_words
from app.access.audit import AuditAction, record
from app.access.masking import LONGEST_PURPOSE, checked_purpose
from app.access.permissions import AUDIT, EXPORT_AUDIT, VERIFY_AUDIT
from app.entity.labels import Label, UserError
from app.entity.registry import registry
from app.exchange.files import write_table
from app.history import trail
from app.history.models import Operation
from app.history.origin import Door
from app.history.reading import Version, as_versions
from app.jobs.queue import enqueue

from ..permissions import may
from ..presentation import t, text
from ..versions import DOORS, OPERATIONS, in_plain_words
from .context import Page, link

PAGE_SIZE = 50
MOST_EXPORTED = 10_000
IDS = 500
CHANGES, EVENTS = "changes", "events"
TABS = {CHANGES: Label("记录变更", "Changes of records"), EVENTS: Label("其他操作", "Other actions")}
QUEUE_AWAY = Label(
    "任务队列暂时不可用，没有开始验证。请稍后再试，或在服务器上运行 run.py audit verify。",
    "The queue of jobs is away, so verifying has not begun. Try again later, or run run.py audit verify on the server.",
)
ACCOUNT = Label("账号", "Account")
SYSTEM = Label("系统", "System")


class AuditPage(Page):
    """What people of the auditor's organization did; all of it for an auditor of none."""

    route_base = "/audit"
    default_view = "list"
    class_permission_name = AUDIT.page
    base_permissions = [AUDIT.action, VERIFY_AUDIT.action, EXPORT_AUDIT.action]
    method_permission_name = {"list": "list", "verify": "verify", "export": "export"}

    @expose("/list/", methods=["GET"])
    @has_access
    def list(self) -> str:
        return self._page()

    def _page(self, problem: Label | None = None) -> str:
        tab = _tab()
        asked, faults = self._asked()
        rows = [] if faults else self._read(tab, asked, PAGE_SIZE + 1, request.args.get("before", ""))
        shown = self._told(tab, rows[:PAGE_SIZE])
        last = rows[PAGE_SIZE - 1] if len(rows) > PAGE_SIZE else None
        kinds = (
            [(each.value, label) for each, label in OPERATIONS.items()]
            if tab == CHANGES
            else [(each.value, label) for each, label in audit_words.ACTION_WORDS.items()]
        )
        self.update_redirect()
        return self.render_template(
            "beacon/audit.html",
            title=t("审计记录", "Audit trail"),
            tabs=[(label, url_for("AuditPage.list", tab=code), code == tab) for code, label in TABS.items()],
            tab=tab,
            given=request.args,
            entities=sorted(
                [(entity.code, text(entity.label)) for entity in registry]
                + ([] if tab == CHANGES else [("account", text(ACCOUNT))]),
                key=lambda pair: pair[1],
            ),
            operations=[(code, text(label)) for code, label in kinds],
            faults=faults,
            problem=problem,
            rows=shown,
            is_narrowed=any(
                request.args.get(name) for name in ("who", "entity", "operation", "record", "since", "until")
            ),
            is_whole_trail=self.actor.unrestricted or self.actor.organization_path is None,
            clear_url=url_for("AuditPage.list", tab=tab),
            older_url=None if last is None else link(before=_mark(tab, last)),
            newest_url=link(before=None) if request.args.get("before") else None,
            verification=self._verification(),
            verify_url=url_for("AuditPage.verify") if self.may(VERIFY_AUDIT) else None,
            export_url=link_to_export() if self.may(EXPORT_AUDIT) and not faults else None,
            longest=LONGEST_PURPOSE,
            most_exported=MOST_EXPORTED,
        )

    @expose("/verify", methods=["POST"])
    @has_access
    def verify(self) -> Response:
        """Have the whole chain verified by a worker; the result will stand on the page and in the trail."""
        actor = self.actor
        if enqueue("verify_history", asked_by=actor.name, user_id=actor.user_id) is None:
            flash(text(QUEUE_AWAY), "warning")
        else:
            flash(
                t("已开始验证，完成后结果显示在本页，请稍后刷新。", "Verifying has begun; reload for the result."),
                "info",
            )
        return redirect(url_for("AuditPage.list"))

    @expose("/export", methods=["POST"])
    @has_access
    def export(self) -> Any:
        """What the filters find, as a workbook; written down with its purpose before it is handed out."""
        tab = _tab()
        asked, faults = self._asked()
        try:
            purpose = checked_purpose(request.form.get("purpose", ""))
        except UserError as problem:
            return self._page(problem.label), 422
        if faults:
            return self._page(), 422
        rows = self._read(tab, asked, MOST_EXPORTED, "")
        told = self._told(tab, rows)
        said = " ".join(f"{name}={value}" for name, value in request.args.items() if value and name != "before")
        record(
            self.session, self.actor, AuditAction.TRAIL_EXPORTED, detail=f"{len(rows)}: {said}"[:1000], purpose=purpose
        )
        self.session.commit()
        heading = [
            t("时间", "When"), t("账号", "Account"), t("来源", "From"), t("操作", "What"), t("对象", "On what"),
            t("编号", "Which"), t("内容", "Details"), t("用途", "Purpose"),
        ]  # fmt: skip
        with TemporaryDirectory() as folder:
            path = Path(folder) / "audit.xlsx"
            write_table(path, heading, [_cells(row) for row in told])
            content = path.open("rb")
        return send_file(
            content,
            mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            as_attachment=True,
            download_name=t("审计记录.xlsx", "audit-trail.xlsx"),
            max_age=0,
        )

    # --- reading ---

    def _asked(self) -> tuple[trail.Asked, list[Label]]:
        """What the address asks for, and what is wrong with it."""
        faults: list[Label] = []
        days: dict[str, date | None] = {}
        for name in ("since", "until"):
            written = request.args.get(name, "").strip()
            try:
                days[name] = date.fromisoformat(written) if written else None
            except ValueError:
                days[name] = None
                faults.append(Label(f"“{written}”不是日期", f"“{written}” is no date"))
        entity, written = request.args.get("entity", ""), request.args.get("record", "").strip()
        row_ids = None
        if written and entity in registry:
            row_ids = trail.ids_of(self.session, registry[entity], written)
        elif written:
            faults.append(Label("按编号查找时，请先选择记录种类", "To look for a record, choose its kind as well"))
        who, operation = request.args.get("who", "").strip()[:128], request.args.get("operation", "")
        return trail.Asked(who, entity, operation, row_ids, days["since"], days["until"]), faults

    def _read(self, tab: str, asked: trail.Asked, most: int, before: str) -> Sequence[Any]:
        batch, _, place = before.partition("-")
        if tab == CHANGES:
            mark = (int(batch), int(place)) if batch.isdecimal() and place.isdecimal() else None
            return trail.changes(self.session, self.actor, asked, most, mark)
        return trail.events(self.session, self.actor, asked, most, int(batch) if batch.isdecimal() else None)

    def _told(self, tab: str, rows: Sequence[Any]) -> list[dict[str, Any]]:
        codes = self._codes(rows)
        return self._changes_told(rows, codes) if tab == CHANGES else [_event_told(row, codes) for row in rows]

    def _codes(self, rows: Sequence[Any]) -> dict[tuple[str, int], str]:
        """The codes of the records that the reader may open, by entity and id."""
        wanted: dict[str, set[int]] = {}
        for row in rows:
            if row.row_id is not None and row.entity in registry and may("show", registry[row.entity]):
                wanted.setdefault(row.entity, set()).add(row.row_id)
        found = {}
        for entity, numbers in wanted.items():
            model: Any = registry[entity].model
            ids = sorted(numbers)
            for start in range(0, len(ids), IDS):
                statement = select(model.id, model.code).where(model.id.in_(ids[start : start + IDS]))
                found.update({(entity, number): code for number, code in self.session.execute(statement)})
        return found

    def _is_open(self, row: Any, codes: dict[tuple[str, int], str]) -> bool:
        """Whether the reader may see the values of a change."""
        if (row.entity, row.row_id) in codes:
            return True
        return self.actor.unrestricted and may("show", registry[row.entity])  # also of what was deleted

    def _changes_told(self, rows: Sequence[Any], codes: dict[tuple[str, int], str]) -> list[dict[str, Any]]:
        differences: dict[tuple[int, int], list[str]] = {}
        by_entity = sorted((row for row in rows if row.entity in registry), key=lambda row: row.entity)
        for code, group in groupby(by_entity, key=lambda row: row.entity):
            own = list(group)
            versions: list[Version] = as_versions(self.session, registry[code], own)
            for row, lines in zip(own, in_plain_words(registry[code], versions), strict=True):
                is_open = self._is_open(row, codes)
                differences[row.batch_id, row.place] = (
                    [str(each) for each in lines] if is_open else [t("、", ", ").join(each.label for each in lines)]
                )
        return [
            {
                "when": row.happened_at,
                "who": row.actor_name,
                "door": text(DOORS[Door(row.door)]),
                "address": row.address,
                "what": text(OPERATIONS[Operation(row.operation)]),
                "entity": text(registry[row.entity].label) if row.entity in registry else row.entity or text(SYSTEM),
                "which": codes.get((row.entity, row.row_id)) or (f"#{row.row_id}" if row.row_id else ""),
                "lines": differences.get((row.batch_id, row.place), []),
                "purpose": "",
            }
            for row in rows
        ]

    def _verification(self) -> dict[str, Any] | None:
        """The latest result: when, on whose behalf, what was gone over and what is wrong."""
        found = trail.last_event(self.session, AuditAction.CHAIN_VERIFIED)
        if found is None:
            return None
        result = orjson.loads(found.detail)
        return {
            "when": found.happened_at,
            "who": found.actor_name,
            **result,
            "named": [Label(zh, en) for zh, en in result["named"]],
        }


def _tab() -> str:
    tab = request.args.get("tab", CHANGES)
    return tab if tab in TABS else CHANGES


def link_to_export() -> str:
    """The address that exports what this page shows."""
    return url_for("AuditPage.export", **{name: value for name, value in request.args.items() if name != "before"})


def _mark(tab: str, row: Any) -> str:
    return f"{row.batch_id}-{row.place}" if tab == CHANGES else str(row.id)


def _event_told(row: Any, codes: dict[tuple[str, int], str]) -> dict[str, Any]:
    detail = audit_words.detail(row.detail)
    if row.action == AuditAction.CHAIN_VERIFIED:
        result = orjson.loads(row.detail)
        wrong = result["faults"]
        detail = t(f"发现 {wrong} 处改动", f"{wrong} faults found") if wrong else t("链条完整", "the chain is whole")
    return {
        "when": row.happened_at,
        "who": row.actor_name,
        "door": "",
        "address": row.address,
        "what": audit_words.action(row.action),
        "entity": audit_words.entity_word(row.entity),
        "which": codes.get((row.entity, row.row_id)) or (f"#{row.row_id}" if row.row_id else ""),
        "lines": [detail] if detail else [],
        "purpose": row.purpose,
    }


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        f"{row['when']:%Y-%m-%d %H:%M:%S}", row["who"], " ".join(filter(None, (row["door"], row["address"]))),
        row["what"], row["entity"], row["which"], "\n".join(row["lines"]), row["purpose"],
    ]  # fmt: skip
