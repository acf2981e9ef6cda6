"""系统健康: whether data come through, and what the parts count of themselves.

What can be seen from InfluxDB alone comes first and holds anywhere. The rest asks a Prometheus that reads the
parts; without one it says 无数据, and `taishi status` tells the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dashboards import promql
from dashboards.context import Context
from dashboards.links import UIDS
from dashboards.metric_panels import FROM_ONE, NO_PROMETHEUS, one, over_time
from dashboards.model import Board, FieldStyle, Mapping, Panel, Section, Step, Table
from dashboards.panels import last_seen, wholeness
from dashboards.words import Words
from schemas.kinds import DOMAINS

__all__ = ["board"]

_SOURCE: Final = "{{source}}"
_SHARD: Final = "{{shard}}"
_NOT_SUMMED: Final = 'taishi_window_records_total{what=~"final|orphaned|refused"}'
_WHAT: Final = "{{what}}"


def board(context: Context) -> Board:
    """The board."""
    return Board(
        uid=UIDS["system"],
        title=Words("系统健康", "system health"),
        about=Words(
            "数据是否到达、是否齐全，各部件如何。", "Whether data come, whether all of them, and the parts."
        ),
        variables=context.placed,
        since="now-1h",
        annotated=False,
        sections=(
            Section(
                Words("数据到达", "data come through"),
                (wholeness(DOMAINS), *(last_seen(domain) for domain in DOMAINS)),
            ),
            Section(Words("部件", "parts"), (*_now(context), _parts())),
            Section(Words("不丢不重", "nothing vanishes"), tuple(_accounts())),
            Section(Words("流动", "flow"), tuple(_flow(context))),
        ),
    )


def _now(context: Context) -> tuple[Panel, ...]:
    """One figure each, red when somebody must look."""
    records, points = Words("记录", "records"), Words("点", "points")
    return (
        one(
            "parts-down",
            Words("未服务的部件", "parts that do not serve"),
            Words("监督进程所见。", "As the supervisor sees it."),
            promql.asked("sum(1 - taishi_part_up)", Words("部件", "parts")),
            FROM_ONE,
        ),
        one(
            "lag",
            Words("积压", "lag"),
            Words("日志中尚未处理的记录。", "Records of the log not folded yet."),
            promql.asked(promql.newest("taishi_lag_records"), records),
            (Step(None, "normal"), Step(10_000, "caution"), Step(100_000, "critical")),
        ),
        one(
            "watermark",
            Words("最大水位延迟", "oldest watermark"),
            Words(
                f"最慢分片的水位落后时钟多久，{context.watermark_s:g} 秒起为严重。",
                f"How far the slowest shard's watermark trails; critical from {context.watermark_s:g} s.",
            ),
            promql.asked(promql.worst("taishi_watermark_age_seconds"), Words("延迟", "age")),
            (Step(None, "normal"), Step(context.watermark_s, "critical")),
            "s",
        ),
        one(
            "lost-points",
            Words("写入后未找到（1 小时）", "points not found again, 1 h"),
            Words("探针写入后读不到的点。", "Points of the canary that were not there when read back."),
            promql.asked(promql.increase("taishi_canary_failures_total", "1h"), points),
            FROM_ONE,
        ),
        one(
            "refused-points",
            Words("被拒绝的点（1 小时）", "points refused, 1 h"),
            Words("InfluxDB 因内容拒绝的点。", "Points that InfluxDB refused for their content."),
            promql.asked(promql.increase("taishi_points_refused_total", "1h"), points),
            FROM_ONE,
        ),
        one(
            "silent-devices",
            Words("沉默设备占比", "share of devices silent"),
            Words("沉默超过其应有间隔的设备占比。", "Devices silent for longer than they may be."),
            promql.asked(
                f"{promql.newest('taishi_devices_silent')} / {promql.newest('taishi_devices_known')}",
                Words("占比", "share"),
            ),
            (Step(None, "normal"), Step(0.1, "caution"), Step(0.3, "critical")),
            "percentunit",
        ),
    )


def _parts() -> Panel:
    queries = (
        promql.asked(promql.worst("taishi_part_up", "part"), "up", "A", "table"),
        promql.asked(promql.worst("taishi_part_restarts", "part"), "restarts", "B", "table"),
        promql.asked(promql.worst("taishi_part_rss_bytes", "part"), "memory", "C", "table"),
    )
    states = (Mapping("1", "正常 serves", "normal"), Mapping("0", "未服务 does not serve", "critical"))
    return Panel(
        name="parts",
        title=Words("部件", "parts"),
        about=Words("状态、重启次数与内存。", "State, restarts and memory."),
        show=Table(columns=("part", "Value #A", "Value #B", "Value #C"), joined="part", sort="Value #B"),
        unit="locale",
        queries=queries,
        width=24,
        height=9,
        fields=(
            FieldStyle("part", Words("部件", "part"), unit="string"),
            FieldStyle("Value #A", Words("状态", "state"), mappings=states),
            FieldStyle(
                "Value #B",
                Words("重启", "restarts"),
                decimals=0,
                steps=(Step(None, "normal"), Step(3, "caution")),
            ),
            FieldStyle("Value #C", Words("内存", "memory"), unit="bytes", decimals=0),
        ),
        nothing=NO_PROMETHEUS,
    )


def _accounts() -> Iterable[Panel]:
    """What is missing in the equations of docs/specs/telemetry.md, by source; it must be 0."""
    off = (Step(None, "critical"), Step(-0.5, "normal"), Step(0.5, "critical"))
    still = Words(
        "应为 0；消息流动时读数先后不一，会短暂不为 0，持续不为 0 才是不平。",
        "Must be 0; while messages move it may be off for a moment, and is broken when it stays so.",
    )
    doors = _missing(
        *("taishi_messages_received_total", "taishi_messages_acknowledged_total"),
        *("taishi_refused_total", "taishi_messages_in_flight"),
    )
    folded = _missing(
        *(
            "taishi_readings_consumed_total",
            "taishi_readings_stored_total",
            "taishi_readings_duplicate_total",
        ),
        *("taishi_readings_late_total", "taishi_readings_quarantined_total"),
    )
    yield over_time(
        "account-doors",
        Words("接入：收到 − 确认 − 拒收 − 在途", "doors: received − acknowledged − refused − in flight"),
        still,
        [promql.asked(doors, _SOURCE)],
        "locale",
        off,
    )
    yield over_time(
        "account-fold",
        Words("处理：消费 − 入库 − 重复 − 迟到 − 隔离", "fold: consumed − stored − duplicate − late − bad"),
        still,
        [promql.asked(folded, _SOURCE)],
        "locale",
        off,
    )
    yield over_time(
        "quarantine",
        Words("隔离", "quarantine"),
        Words("每秒进入隔离区的消息，按原因。", "Messages into quarantine a second, by reason."),
        [promql.asked(promql.rate("taishi_quarantined_total", "reason"), "{{reason}}")],
        "cps",
    )
    yield over_time(
        "orphans",
        Words("未计入的窗口（1 小时）", "windows not in the sums, 1 h"),
        Words(
            "过晚、孤立或被拒的网格窗口。", "Windows of grids that came too late, were orphaned or refused."
        ),
        [promql.asked(promql.risen(_NOT_SUMMED, "1h", "what"), _WHAT)],
        "locale",
        FROM_ONE,
    )


def _missing(whole: str, *parts: str) -> str:
    """The whole less its parts, by source; a part that a source never had is 0."""
    every = promql.newest(whole, "source")
    return " - ".join([every, *(f"({promql.newest(part, 'source')} or 0 * {every})" for part in parts)])


def _flow(context: Context) -> Iterable[Panel]:
    age = (Step(None, "normal"), Step(context.watermark_s, "critical"))
    yield over_time(
        "received",
        Words("每秒收到", "received a second"),
        Words("各来源每秒收到的消息。", "Messages a second by source."),
        [promql.asked(promql.rate("taishi_messages_received_total", "source"), _SOURCE)],
        "cps",
    )
    yield over_time(
        "lag-by-shard",
        Words("分片积压", "lag by shard"),
        Words("各分片尚未处理的记录。", "Records not folded yet, by shard."),
        [promql.asked(promql.worst("taishi_lag_records", "shard"), _SHARD)],
        "locale",
    )
    yield over_time(
        "watermark-by-shard",
        Words("分片水位延迟", "watermark age by shard"),
        Words("各分片水位落后时钟多久。", "How far each shard's watermark trails the clock."),
        [promql.asked(promql.worst("taishi_watermark_age_seconds", "shard"), _SHARD)],
        "s",
        age,
    )
    yield over_time(
        "to-queryable",
        Words("窗口结束到可查询 p99", "window's end until it can be queried, p99"),
        Words("按层级，含水位延迟。", "By level; the watermark's delay is included."),
        [
            promql.asked(
                promql.quantile(0.99, "taishi_window_to_queryable_seconds", "5m", "level"), "{{level}}"
            )
        ],
        "s",
    )
    yield over_time(
        "signal-to-alert",
        Words("信号到告警 p99", "signal to alert, p99"),
        Words("信号进入日志到告警进入日志。", "From a signal on the log to its alert on the log."),
        [promql.asked(promql.quantile(0.99, "taishi_signal_to_alert_seconds"), Words("信号到告警", "p99"))],
        "s",
        FROM_ONE,
    )
    yield over_time(
        "write",
        Words("InfluxDB 写入 p95", "InfluxDB write, p95"),
        Words("一次写入请求的时间。", "Time of one write request."),
        [promql.asked(promql.quantile(0.95, "taishi_influxdb_write_seconds"), Words("写入", "p95"))],
        "s",
    )
