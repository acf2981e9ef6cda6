"""Metrics of the Beam jobs, in one place. Names and labels: docs/specs/telemetry.md."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

__all__ = [
    "ALERTS_ACTIVE",
    "ALERTS_WRITTEN",
    "CANARY_FAILURES",
    "DEVICES_KNOWN",
    "DEVICES_SILENT",
    "INFLUXDB_WRITE_SECONDS",
    "POINTS_EXPIRED",
    "POINTS_REFUSED",
    "POINTS_WRITTEN",
    "RECORDS_SKIPPED",
    "RULES_IN_FORCE",
    "RULES_REFUSED",
    "SERIES",
    "SIGNAL_TO_ALERT_SECONDS",
    "WINDOW_RECORDS",
    "WINDOW_TO_QUERYABLE_SECONDS",
    "LineTelemetry",
]

_BUCKETS_S: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

_FOLD: Final = Histogram("taishi_fold_seconds", "time to fold one micro-batch", ["job"], buckets=_BUCKETS_S)
_WRITE: Final = Histogram(
    "taishi_write_seconds", "time until a batch's outputs were confirmed", ["job"], buckets=_BUCKETS_S
)
_LAG: Final = Gauge("taishi_lag_records", "records of the log not folded yet", ["shard"])
_WATERMARK_AGE: Final = Gauge("taishi_watermark_age_seconds", "how far the watermark trails now", ["shard"])
_OWNED: Final = Gauge("taishi_shards_owned", "shards that this worker holds", ["job"])
_FENCED: Final = Counter(
    "taishi_shards_fenced_total", "shards whose newer claim by another worker this one came upon", ["job"]
)
_CHECKPOINT: Final = Gauge("taishi_checkpoint_bytes", "size of the last checkpoint", ["shard"])
# Gauges, though they only grow: they come from the state, survive restarts and are exact.
_ACCOUNTS: Final = {
    what: Gauge(f"taishi_readings_{what}_total", f"readings {what}, since the log began", ["source"])
    for what in ("consumed", "stored", "duplicate", "late")
} | {
    "quarantined": Gauge(
        "taishi_readings_quarantined_total",
        "readings quarantined by the job, since the log began",
        ["source", "reason"],
    )
}


class LineTelemetry:
    """The metrics of one job in this process."""

    def __init__(self, job: str) -> None:
        self.fold_seconds = _FOLD.labels(job)
        self.write_seconds = _WRITE.labels(job)
        self.lag_records = _LAG
        self.watermark_age_seconds = _WATERMARK_AGE
        self.checkpoint_bytes = _CHECKPOINT
        self.shards_owned, self.shards_fenced = _OWNED.labels(job), _FENCED.labels(job)
        self._by_shard: dict[str, dict[tuple[str, ...], int]] = {}

    def account(self, shard: str, counts: dict[tuple[str, ...], int]) -> None:
        """Set a shard's totals by (what, *labels); the metric is the sum over this process's shards."""
        self._by_shard[shard] = counts
        self._total(counts)

    def _total(self, keys: Iterable[tuple[str, ...]]) -> None:
        totals: dict[tuple[str, ...], int] = {}
        for shard_counts in self._by_shard.values():
            for key, count in shard_counts.items():
                totals[key] = totals.get(key, 0) + count
        for what, *labels in keys:
            _ACCOUNTS[what].labels(*labels).set(totals.get((what, *labels), 0))

    def forget(self, shard: str) -> None:
        """The shard is another worker's now, and so is what is said of it."""
        self._total(self._by_shard.pop(shard, {}))
        for gauge in (
            *(_LAG, _WATERMARK_AGE, _CHECKPOINT, WINDOW_RECORDS, ALERTS_ACTIVE),
            *(DEVICES_KNOWN, DEVICES_SILENT),
        ):
            gauge.remove_by_labels({"shard": shard})


POINTS_WRITTEN: Final = Counter("taishi_points_written_total", "points InfluxDB has acknowledged")
POINTS_REFUSED: Final = Counter("taishi_points_refused_total", "points InfluxDB refused for their content")
POINTS_EXPIRED: Final = Counter(
    "taishi_points_expired_total", "points older than what their retention policy keeps: let go"
)
INFLUXDB_WRITE_SECONDS: Final = Histogram(
    "taishi_influxdb_write_seconds", "time of one write to InfluxDB", buckets=_BUCKETS_S
)
WINDOW_TO_QUERYABLE_SECONDS: Final = Histogram(
    "taishi_window_to_queryable_seconds",
    "from a window's end until its points were acknowledged (includes the watermark's delay)",
    ["level"],
    buckets=(1, 2, 3, 4, 5, 5.5, 6, 6.5, 7, 8, 10, 15, 30, 60),
)
CANARY_FAILURES: Final = Counter("taishi_canary_failures_total", "acknowledged points not found again")
# A gauge, though it only grows: it comes from the checkpoint, as the readings' accounts do.
WINDOW_RECORDS: Final = Gauge(
    "taishi_window_records_total",
    "windows of grids, by what became of them: taken, repeated, final (too late to change), orphaned (of a "
    "shard too far behind: not in the sums), refused",
    ["shard", "what"],
)
RECORDS_SKIPPED: Final = Counter(
    "taishi_records_skipped_total", "records of `windows` that are none", ["reason"]
)

ALERTS_WRITTEN: Final = Counter("taishi_alerts_written_total", "changes of alerts written to the topic")
ALERTS_ACTIVE: Final = Gauge("taishi_alerts_active", "alerts whose condition is true", ["shard"])
SIGNAL_TO_ALERT_SECONDS: Final = Histogram(
    "taishi_signal_to_alert_seconds", "from a signal on the log to its alert on the log", buckets=_BUCKETS_S
)

DEVICES_KNOWN: Final = Gauge("taishi_devices_known", "devices the shard has heard of", ["shard"])
DEVICES_SILENT: Final = Gauge(
    "taishi_devices_silent", "of them, silent for longer than they may be", ["shard"]
)
SERIES: Final = Gauge(
    "taishi_detector_series",
    "series (place x figure) that detectors know, and of them judged in the last minute; the others have too "
    "little history, or no data",
    ["domain", "level", "what"],
)

RULES_IN_FORCE: Final = Gauge("taishi_rules_in_force", "rules of the rule file that are judged")
RULES_REFUSED: Final = Counter("taishi_rules_refused_total", "wrong rule files that did not come into force")
