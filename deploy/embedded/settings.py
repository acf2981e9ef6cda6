"""What the embedded stack must know; the command line translates the installation's settings into this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.embedded.logs import LogLimits

__all__ = ["METRICS_OFFSETS", "StackSettings"]

METRICS_OFFSETS: Mapping[str, int] = {
    "supervisor": 0,
    "connect-mqtt": 1,
    "connect-http": 2,
    "worker-aggregate": 3,
    "worker-situation": 4,
    "simulate": 5,
    "mqtt": 6,
    "connect-sip": 7,
    "connect-tcp": 8,
    "worker-signals": 9,
    "connect-poll": 10,
    "oncall": 11,
    "outgoing": 12,
    "worker-presence": 13,
    "worker-watch": 14,
    "sources": 15,
    "pages": 16,
    "desk": 17,
}
"""Part -> its metrics port, counted from `metrics_port`."""


@dataclass(frozen=True, slots=True)
class StackSettings:
    """Places, ports and addresses; a part with an address of one's own is not started here.

    `doors` are the connectors to start: mqtt, http, sip, tcp, poll. With an
    `oncall_file` the on-call service is started too, with `outgoing` what other platforms ask, and with
    `pages` the live pages, with `desk` the operations desk.
    """

    home: Path
    cache: Path
    kafka_port: int
    kafka_controller_port: int
    influxdb_port: int
    mqtt_port: int
    http_port: int
    prism_aggregate_port: int
    prism_situation_port: int
    prism_signals_port: int
    prism_presence_port: int
    prism_watch_port: int
    metrics_port: int
    tcp_port: int
    doors: tuple[str, ...] = ("mqtt", "http")
    oncall_file: Path | None = None
    outgoing: bool = False
    outgoing_port: int = 18090
    pages: bool = True
    pages_port: int = 18085
    desk: bool = False
    desk_port: int = 18084
    http_host: str = "127.0.0.1"
    kafka_address: str | None = None
    influxdb_address: str | None = None
    mqtt_address: str | None = None
    log_keep_days: float = 183.0
    log_limit_mib: int = 512
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment of the parts that are Taishi's own commands: the same settings, by name."""

    @property
    def data(self) -> Path:
        """Where Kafka and InfluxDB keep theirs."""
        return self.home / "data"

    @property
    def log_limits(self) -> LogLimits:
        """Of each part's log."""
        return LogLimits(self.log_keep_days, self.log_limit_mib * 2**20)

    @property
    def logs(self) -> Path:
        """One log a part."""
        return self.home / "logs"

    @property
    def pids(self) -> Path:
        """One pid file a part, and the supervisor's lock."""
        return self.home / "pids"

    def metrics_of(self, part: str) -> int:
        """Metrics port of a part; KeyError for a part without metrics of its own."""
        return self.metrics_port + METRICS_OFFSETS[part]
