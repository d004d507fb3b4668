"""Statements that pass the row scope by live in named modules only, each of which answers for the scope itself.

The session refuses Core and text statements of restricted actors. What it cannot see is work on a connection, so the
source is searched for it. A module that needs it is added here, with the reason why no foreign row gets out.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from config import PROJECT_DIR

APP = PROJECT_DIR / "app"

NAMED = {
    # Below the scope: they open connections, run no statement for a reader, or are the scope.
    "access/account_ties.py": "names of organizations, hidden ones of members: what it takes to tie an account to them",
    "access/access_version.py": "a number that says that rights have changed",
    "access/api_keys.py": "keys of accounts; an organization is only compared with one's own",
    "access/first_start.py": "roles, before anybody acts",
    "access/acting.py": "reads the account that a job acts for",
    "access/bulk_check.py": "the same check for rows out of files",
    "access/flush_check.py": "is the check of writes",
    "access/known_accounts.py": "accounts and roles, which decide the scope",
    "access/references.py": "names of organizations and courses, known to all who are signed in",
    "access/security.py": "permissions of roles",
    "database/bulk.py": "for jobs, imports and demonstration records: the system acts",
    "database/engine.py": "opens connections",
    "database/lasting_ids.py": "the end of an upgrade: how tables count their ids",
    "database/migrations.py": "migrations",
    "database/statistics.py": "tells the planner how much there is, and reads nothing",
    "database/transfer.py": "reads for evaluation: the system acts",
    # Checks of the whole tree, which a refusal tells nothing of.
    "entity/key_rotation.py": "moves ciphertext from one key to another and shows nothing",
    "entity/related.py": "rows that the checks of validity compare with",
    "entity/uniqueness.py": "a code is unique in the whole tree",
    "entity/validation.py": "what follows from a changed row follows everywhere",
    "domains/attachments/operations.py": "files of a record that its caller has read in the reader's scope",
    "domains/attachments/ties.py": "files of a record that was written through the session go with it",
    "domains/organizations/tree.py": "paths of whole subtrees",
    "domains/party_life/duties.py": "rows that follow from a meeting or course, for those below its organization",
    # Files in.
    "exchange/saving.py": "writes rows that bulk_check has held to the importing person's scope",
    "exchange/staging.py": "files of its own beside the database",
    # Evaluation: jobs act for the system; pages read what the reader's scores lead to.
    "evaluation/changes.py": "marks that jobs alone read",
    "evaluation/results.py": "ranks and means over all peers: numbers that name nobody",
    "evaluation/breakdowns.py": "breakdowns of subjects whose scores were read through the scope",
    "evaluation/inputs.py": "what a run counts: the system acts",
    "evaluation/leases.py": "which run goes on",
    "evaluation/previews.py": "figures of drafts, of subjects that the page read through the scope",
    "evaluation/progress.py": "how far a run has come",
    "evaluation/refreshing.py": "scores again what changed: the system acts",
    "evaluation/retention.py": "forgets what nobody reads: the system acts",
    "evaluation/running.py": "runs: the system acts",
    "workshop/adjustment_trial.py": "scores of the organizations below the adjusting one, which the page shows its own",
    "workshop/kept_figures.py": "figures of a whole run: percentiles need all; dry runs tell those in scope",
    "workshop/approvals.py": "versions of rules, which name nobody",
    "history/erasing.py": "keys of a member whose row was read through the scope",
    "history/pruning.py": "removes what is past its retention: the system acts",
    "history/reading.py": "versions of a record that was read through the scope",
    "history/trail.py": "the audit trail, bounded by who did it",
    "history/trash.py": "rows whose deletion was checked; the trash itself is read through the scope",
    "history/recording.py": "writes down what a session changes; gives nothing out",
    "rules/case_rows.py": "rows of the rules' tests, in a database of their own",
    "console/live.py": "roles, when an entity comes or goes",
    "console/pages/scorecards.py": "the figures of peers, for their mean alone",
    "console/pages/what_if.py": "one subject that was read through the scope, and nameless figures of its peers",
    "console/pages/dashboard.py": "breakdowns of subjects that were read through the scope",
}

OPENERS = {"connection", "connect", "raw_connection", "exec_driver_sql", "get_bind"}
BULK = {"bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"}


def passes_by(path: Path) -> set[str]:
    """What a module does that the scope does not see, by name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            found |= {alias.name for alias in node.names if alias.name == "text"}
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name = node.func.attr
        if name in OPENERS and not (name == "get_bind" and not node.args):
            found.add(name)
        elif name == "begin" and "engine" in ast.unparse(node.func.value).lower():
            found.add("begin")
        elif name in BULK:
            found.add(name)
    return found


@cache
def modules() -> dict[str, set[str]]:
    return {str(path.relative_to(APP)): passes_by(path) for path in sorted(APP.rglob("*.py"))}


def test_what_passes_the_scope_by_is_in_a_named_module():
    open_modules = {name: found for name, found in modules().items() if found and not _is_named(name)}
    assert not open_modules, "Use a session, or name the module here and say why no foreign row gets out"


def _is_named(name: str) -> bool:
    return name in NAMED or name.startswith(JOBS)


JOBS = (
    "command_line/",  # the system's own commands
    "demonstration/",
    "jobs/",
)
"""Packages whose work is done by the system, from the command line or the queue."""


def test_named_modules_exist_and_still_need_it():
    found = modules()
    assert {name for name in NAMED if not found.get(name)} == set()


@pytest.mark.parametrize("package", ["api", "portal", "console"])
def test_pages_and_api_use_no_text_sql(package: str):
    for name, found in modules().items():
        if name.startswith(f"{package}/"):
            assert not found & {"text", "exec_driver_sql", "raw_connection"}, name
