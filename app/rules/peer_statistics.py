"""What others do to a subject's score: observed ranges, percentiles, z-scores and peer averages.

A full run scores a subject among all subjects of that run. A partial run scores a few changed subjects among the
subjects of the last full run, and puts their new values in the place of their old ones. So it gives exactly what a
full run would give if nothing else had changed since, and a subject is never compared with its own past. (One thing
waits for the next full run: others' scores that a peer average is taken of, where those in turn depend on others.)

Sorted values or means alone could not do that: to replace a subject's old value one must know it. So the statistics
keep, for the few nodes that look at others, each subject's value: 8 bytes a subject and node before compression.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from .frames import SUBJECT_ID
from .model import Index, Missing
from .shapes import depends_on_others

PEERS = "peers"
"""The values of a subject's peers columns, joined by ``|``."""


def column_of_node(code: str, what: str) -> str:
    """The engine's own name of a node's column; no metric's, subject's or other column can have it."""
    return f"#{code}.{what}"


def columns_of(index: Index) -> list[str]:
    """The columns of the engine that others' scores depend on: values of nodes whose shape looks at others, and own
    scores of nodes that take their peers' average."""
    nodes = list(index.root.walk())
    values = [column_of_node(node.code, "value") for node in nodes if depends_on_others(node)]
    return values + [column_of_node(node.code, "own") for node in nodes if node.missing is Missing.PEER_AVERAGE]


def columns_of_others(index: Index) -> list[str]:
    """The columns of the engine that look at other subjects: scores of such shapes, and peers' averages."""
    nodes = list(index.root.walk())
    scores = [column_of_node(node.code, "own") for node in nodes if not node.children and depends_on_others(node)]
    return scores + [column_of_node(node.code, "mean") for node in nodes if node.missing is Missing.PEER_AVERAGE]


@dataclass(frozen=True)
class PeerStatistics:
    """The figures of a full run that later partial runs compare with."""

    version: str
    """Of the rule: statistics of another version are of no use."""
    as_of: date
    frame: pl.DataFrame
    """``subject_id``, ``peers`` and ``columns_of(index)``."""

    def to_bytes(self) -> bytes:
        """As an Arrow IPC file, compressed."""
        about = {"version": self.version, "as_of": self.as_of.isoformat()}
        header = json.dumps(about).encode()
        buffer = io.BytesIO()
        self.frame.write_ipc(buffer, compression="zstd")
        return len(header).to_bytes(4, "big") + header + buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> PeerStatistics:
        """The opposite of ``to_bytes``."""
        end = 4 + int.from_bytes(data[:4], "big")
        about = json.loads(data[4:end])
        frame = pl.read_ipc(io.BytesIO(data[end:]))
        return cls(about["version"], date.fromisoformat(about["as_of"]), frame)


class Population:
    """All subjects that a run's subjects are compared with."""

    def __init__(self, index: Index, subjects: pl.DataFrame, statistics: PeerStatistics | None) -> None:
        """Without ``statistics`` the run's subjects are all there are. Raises ValueError if they are of another
        version of the rule."""
        self.by_peers = bool(index.peers)
        self.others: pl.DataFrame | None = None
        self.base: pl.DataFrame | None = None
        if statistics is not None:
            if statistics.version != index.version:
                raise ValueError(f"statistics of version {statistics.version} do not fit {index.code} {index.version}")
            self.others = statistics.frame.join(subjects, on=SUBJECT_ID, how="anti")

    @classmethod
    def of_base(cls, index: Index, base: pl.DataFrame) -> Population:
        """For an adjusted index: what depends on others is what it was by the base rule (``base``: ``of_others`` of
        its run, for all that are scored), so that results stay comparable whoever adjusts what."""
        found = cls(index, base, None)
        found.base = base
        return found

    def within_peers(self, aggregate: pl.Expr) -> pl.Expr:
        return aggregate.over(PEERS) if self.by_peers else aggregate

    def with_columns(self, frame: pl.DataFrame, expressions: Sequence[pl.Expr], needed: Sequence[str]) -> pl.DataFrame:
        """The frame with expressions that look at other subjects; of those the columns ``needed`` are known."""
        if self.base is not None:
            names = [expression.meta.output_name() for expression in expressions]
            taken = self.base.select(SUBJECT_ID, *(pl.col(name) for name in names))
            return frame.drop(names, strict=False).join(taken, on=SUBJECT_ID, how="left", maintain_order="left")
        if self.others is None:
            return frame.with_columns(expressions)
        columns = [PEERS, *needed]
        everyone = pl.concat([frame.select(columns), self.others.select(columns)])
        found = everyone.with_columns(expressions).head(frame.height)
        return frame.with_columns(found[expression.meta.output_name()] for expression in expressions)
