"""The health page: what `taishi status` knows, as tables of texts, while somebody looks."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from operations.pages.live.board import Board
from operations.pages.live.keys import HEALTH
from operations.pages.views.health import Health, HealthTable
from taishi.settings import Settings
from taishi.status.assemble import assemble
from taishi.status.collect import Collector
from taishi.status.gathered import Gathered
from taishi.status.labels import STATES
from taishi.status.snapshot import PartView, ShardView, Snapshot, SourceView

__all__ = ["Checkup", "health"]

_EVERY_S: Final = 5.0


class Checkup:
    """Looks at the installation every five seconds while the health page is open, else not at all."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self._settings, self._board = settings, board

    def run(self, stopping: threading.Event) -> None:
        """Look until told to stop."""
        before: Gathered | None = None
        with Collector(self._settings) as collector:
            while not stopping.is_set():
                if HEALTH not in self._board.watched:
                    before = None
                    stopping.wait(1.0)
                    continue
                now = collector.gather()
                snapshot = assemble(self._settings.district, self._settings.window_s[0], now, before)
                self._board.put(HEALTH, health(snapshot))
                before = now
                stopping.wait(_EVERY_S)


def health(snapshot: Snapshot) -> Health:
    """The tables of a snapshot."""
    tables = (_parts(snapshot.parts), _shards(snapshot.shards), _sources(snapshot.sources), _checks(snapshot))
    return Health(snapshot.well, list(snapshot.problems), [table for table in tables if table.rows])


def _table(
    names: tuple[str, str], columns: str, rows: Sequence[list[str]], bad: Sequence[bool]
) -> HealthTable:
    """`columns`: `部件 part, 状态 state`."""
    pairs = [tuple(each.split(maxsplit=1)) for each in columns.split(", ")]
    where = [index for index, each in enumerate(bad) if each]
    return HealthTable(*names, [(chinese, english) for chinese, english in pairs], list(rows), where)


def _parts(parts: Sequence[PartView]) -> HealthTable:
    rows = [
        [
            part.name,
            STATES.get(part.state, part.state),
            str(part.restarts),
            f"{part.memory_bytes / 2**20:,.0f} MiB" if part.memory_bytes else "",
            part.detail,
        ]
        for part in parts
    ]
    columns = "部件 part, 状态 state, 重启 restarts, 内存 memory, 说明 detail"
    return _table(("部件", "Parts"), columns, rows, [not part.well for part in parts])


def _shards(shards: Sequence[ShardView]) -> HealthTable:
    rows = [
        [
            shard.shard,
            "?" if shard.lag_records is None else f"{shard.lag_records:,}",
            "?" if shard.watermark_age_s is None else f"{shard.watermark_age_s:.1f} s",
        ]
        for shard in shards
    ]
    unknown = [shard.watermark_age_s is None for shard in shards]
    return _table(("日志", "Log"), "分片 shard, 积压 lag, 水位延迟 watermark age", rows, unknown)


def _sources(sources: Sequence[SourceView]) -> HealthTable:
    heard = [source for source in sources if source.received or source.consumed]
    rows = [
        [
            source.name,
            *(f"{count:,}" for count in (source.received, source.stored, source.late, source.in_flight)),
            f"{sum(source.messages_quarantined.values()) + sum(source.readings_quarantined.values()):,}",
        ]
        for source in heard
    ]
    columns = "来源 source, 收到 received, 入库 stored, 迟到 late, 在途 in flight, 隔离 quarantined"
    return _table(("来源", "Sources"), columns, rows, [False] * len(rows))


def _checks(snapshot: Snapshot) -> HealthTable:
    words = {"holds": "平", "settling": "结算中", "broken": "不平", "unknown": "未知"}
    told = [check for check in snapshot.checks if check.verdict != "holds"]
    rows = [[words[check.verdict], check.name, check.subject, check.detail] for check in told]
    columns = "结果 verdict, 账目 account, 对象 subject, 数字 figures"
    return _table(("账目", "Accounts that do not hold"), columns, rows, [c.verdict == "broken" for c in told])
