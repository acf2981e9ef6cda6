"""`taishi worker`: one Beam job in this process; `taishi up` runs them for you."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import click
import structlog

from pipelines.io.memory import keep_few_arenas
from pipelines.jobs.aggregate import AggregateFactory
from pipelines.jobs.line import LineRuntime, LineSettings
from pipelines.jobs.presence import PresenceFactory
from pipelines.jobs.signals import SignalsFactory
from pipelines.jobs.situation import SituationFactory
from pipelines.jobs.watch import TOPICS as WATCH_TOPICS
from pipelines.jobs.watch import WatchFactory
from pipelines.kernels.rollup_state import RollupSettings
from pipelines.kernels.state import FoldSettings
from pipelines.kernels.watch.minutes import MINUTE_S
from pipelines.kernels.watch.situations import SituationsSettings
from schemas.errors import SettingsError
from schemas.kinds import DOMAINS
from schemas.topics import ALERTS, SIGNALS, WINDOWS, readings_topic
from taishi import logs, metrics
from taishi.devices import devices_path, reporting_intervals_s
from taishi.kafka import kafka_of
from taishi.settings import Settings, load_settings
from taishi.store import influx_settings

__all__ = ["LEAVE_S", "fold_settings", "parse_group", "worker"]

_LOG = structlog.get_logger(__name__)
_GROUP: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
LEAVE_S: Final = 8.0
"""How long a worker that is told to end may take to hand its shards over."""
_STALL_S: Final = 12 * 3600.0
"""`situation` waits for InfluxDB within a batch, for as long as it is away: another would only wait too."""

_group = click.option(
    "--group", metavar="NAME", default=None, help="Share the shards with the other workers of this group."
)


@click.group()
def worker() -> None:
    """Run one Beam job. The supervisor of `taishi up` does this; more of them share with `--group`."""


def fold_settings(settings: Settings) -> FoldSettings:
    """The fold's view of the settings."""
    return FoldSettings(
        window_s=settings.window_s,
        delay_ms=int(settings.delay_s * 1000),
        lateness_ms=settings.lateness_s * 1000,
        skew_max_ms=settings.skew_max_s * 1000,
    )


def parse_group(
    name: str | None, default: str, shards: str = "all", *, from_oldest: bool = False
) -> str | None:
    """The name of a group of workers; SettingsError for one that cannot be, or that contradicts the rest.

    `default` ("" for none) is of the settings, and counts where none of the three is given.
    """
    alone = shards != "all" or from_oldest
    if name is None:
        name = "" if alone else default
        if not name:
            return None
    if not _GROUP.fullmatch(name):
        raise SettingsError(f"--group: received {name!r}, allowed: 1 to 64 of letters, digits, '-', '_', '.'")
    if alone:
        raise SettingsError(
            "--group: received it with --shards or --from-oldest, allowed: neither, for the group shares the "
            "shards; to rebuild, stop the group and run one worker with --from-oldest"
        )
    return name


def parse_partitions(text: str) -> tuple[int, ...] | None:
    """`all` -> None, `0,2` -> (0, 2)."""
    if text == "all":
        return None
    if not all(part.strip().isdigit() for part in text.split(",")):
        raise SettingsError(f"--shards: received {text!r}, allowed: all, or partition numbers such as 0,2")
    return tuple(sorted({int(part) for part in text.split(",")}))


@worker.command()
@click.option("--shards", default="all", help="Partitions of each topic this worker owns: all, or 0,2.")
@_group
@click.option("--prism", default=None, metavar="HOST:PORT", help="Job server; default: the embedded Prism.")
@click.option("--metrics-port", type=int, default=None, help="Port of this worker's metrics; 0 for none.")
@click.option("--from-oldest", is_flag=True, help="Forget the checkpoints and fold the log anew.")
def aggregate(
    shards: str, group: str | None, prism: str | None, metrics_port: int | None, *, from_oldest: bool
) -> None:
    """Fold readings into windows per grid."""
    settings = load_settings()
    line = LineSettings(
        bootstrap=kafka_of(settings),
        topics=tuple(readings_topic(domain) for domain in DOMAINS),
        partitions=parse_partitions(shards),
        group=parse_group(group, settings.worker_group, shards, from_oldest=from_oldest),
        checkpoint_interval_s=settings.checkpoint_interval_s,
        from_oldest=from_oldest,
    )
    factory = AggregateFactory(line, fold_settings(settings), settings.district)
    metrics_port = settings.metrics_port + 3 if metrics_port is None else metrics_port
    run("aggregate", prism or f"127.0.0.1:{settings.prism_aggregate_port}", metrics_port, factory)


@worker.command()
@_group
@click.option("--prism", default=None, metavar="HOST:PORT", help="Job server; default: the embedded Prism.")
@click.option("--metrics-port", type=int, default=None, help="Port of this worker's metrics; 0 for none.")
@click.option("--from-oldest", is_flag=True, help="Forget the checkpoint and rebuild InfluxDB from the log.")
def situation(group: str | None, prism: str | None, metrics_port: int | None, *, from_oldest: bool) -> None:
    """Roll windows up to community, street and district, and keep InfluxDB."""
    settings = load_settings()
    line = LineSettings(
        bootstrap=kafka_of(settings),
        topics=(WINDOWS, ALERTS),
        group=parse_group(group, settings.worker_group, from_oldest=from_oldest),
        stall_s=_STALL_S,
        checkpoint_interval_s=settings.checkpoint_interval_s,
        tick_interval_s=None,  # the shards' progress marks are its ticks
        from_oldest=from_oldest,
    )
    factory = SituationFactory(
        line,
        influx_settings(settings),
        RollupSettings(kept_ms=fold_settings(settings).final_after_ms),
    )
    metrics_port = settings.metrics_port + 4 if metrics_port is None else metrics_port
    run("situation", prism or f"127.0.0.1:{settings.prism_situation_port}", metrics_port, factory)


@worker.command()
@click.option("--shards", default="all", help="Partitions this worker owns: all, or 0,2.")
@_group
@click.option("--prism", default=None, metavar="HOST:PORT", help="Job server; default: the embedded Prism.")
@click.option("--metrics-port", type=int, default=None, help="Port of this worker's metrics; 0 for none.")
@click.option("--from-oldest", is_flag=True, help="Forget the checkpoints and fold the log anew.")
def signals(
    shards: str, group: str | None, prism: str | None, metrics_port: int | None, *, from_oldest: bool
) -> None:
    """Raise alerts from signals: SOS, fall, smoke, gas, intrusion, at once."""
    settings = load_settings()
    line = LineSettings(
        bootstrap=kafka_of(settings),
        topics=(SIGNALS,),
        partitions=parse_partitions(shards),
        group=parse_group(group, settings.worker_group, shards, from_oldest=from_oldest),
        checkpoint_interval_s=settings.checkpoint_interval_s,
        tick_interval_s=None,  # nothing waits for a clock
        from_oldest=from_oldest,
    )
    metrics_port = settings.metrics_port + 9 if metrics_port is None else metrics_port
    endpoint = prism or f"127.0.0.1:{settings.prism_signals_port}"
    run("signals", endpoint, metrics_port, SignalsFactory(line))


@worker.command()
@click.option("--shards", default="all", help="Partitions of each topic this worker owns: all, or 0,2.")
@_group
@click.option("--prism", default=None, metavar="HOST:PORT", help="Job server; default: the embedded Prism.")
@click.option("--metrics-port", type=int, default=None, help="Port of this worker's metrics; 0 for none.")
@click.option("--from-oldest", is_flag=True, help="Forget the checkpoints and fold the log anew.")
def presence(
    shards: str, group: str | None, prism: str | None, metrics_port: int | None, *, from_oldest: bool
) -> None:
    """Tell silent devices, silent feeds and people who do not move."""
    settings = load_settings()
    line = LineSettings(
        bootstrap=kafka_of(settings),
        topics=tuple(readings_topic(domain) for domain in DOMAINS),
        partitions=parse_partitions(shards),
        group=parse_group(group, settings.worker_group, shards, from_oldest=from_oldest),
        checkpoint_interval_s=settings.checkpoint_interval_s,
        tick_interval_s=None,  # those of `aggregate` move the log
        from_oldest=from_oldest,
    )
    metrics_port = settings.metrics_port + 13 if metrics_port is None else metrics_port
    intervals_s = reporting_intervals_s(devices_path(settings))
    factory = PresenceFactory(line, settings.district, int(settings.delay_s * 1000), intervals_s)
    run("presence", prism or f"127.0.0.1:{settings.prism_presence_port}", metrics_port, factory)


@worker.command()
@_group
@click.option("--prism", default=None, metavar="HOST:PORT", help="Job server; default: the embedded Prism.")
@click.option("--metrics-port", type=int, default=None, help="Port of this worker's metrics; 0 for none.")
@click.option("--from-oldest", is_flag=True, help="Forget the checkpoints and judge the log anew.")
def watch(group: str | None, prism: str | None, metrics_port: int | None, *, from_oldest: bool) -> None:
    """Raise alerts by rules and detectors, of silence, and of storms."""
    settings = load_settings()
    line = LineSettings(
        bootstrap=kafka_of(settings),
        topics=WATCH_TOPICS,
        group=parse_group(group, settings.worker_group, from_oldest=from_oldest),
        checkpoint_interval_s=settings.checkpoint_interval_s * 6,  # what detectors know is large
        tick_interval_s=None,  # the shards' progress marks and pulses are its ticks
        from_oldest=from_oldest,
    )
    kept_ms = fold_settings(settings).final_after_ms
    factory = WatchFactory(
        line,
        settings.district,
        str(settings.rules_file or ""),
        SituationsSettings(RollupSettings(kept_ms=kept_ms, sizes_s=(MINUTE_S,))),
    )
    metrics_port = settings.metrics_port + 14 if metrics_port is None else metrics_port
    run("watch", prism or f"127.0.0.1:{settings.prism_watch_port}", metrics_port, factory)


def run(name: str, endpoint: str, metrics_port: int, factory: Callable[[], LineRuntime[Any, Any]]) -> None:
    """Run a job until it ends, then leave with 1: an end is never expected here."""
    keep_few_arenas()
    from pipelines.jobs.graph import run_on  # noqa: PLC0415 - Beam takes seconds to import

    logs.configure(f"worker-{name}")
    for talkative in ("apache_beam", "httpx"):  # every type hint looked at, every request made
        logging.getLogger(talkative).setLevel(logging.WARNING)
    metrics.serve(metrics_port, load_settings().metrics_host)
    _leave_on_signal()
    try:
        state = run_on(endpoint, name, factory)
    except Exception:  # noqa: BLE001 - whatever ended the job ends the process, and is told
        _LOG.exception("job failed", job=name, endpoint=endpoint)
        _leave(1)
    _LOG.error("job ended", job=name, state=state)
    _leave(1)


def _leave_on_signal() -> None:
    def leave(_number: int, _frame: FrameType | None) -> None:
        # Safe at any line: whoever is next goes on from the last checkpoint.
        threading.Thread(target=_hand_over_and_leave).start()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def _hand_over_and_leave() -> None:
    from pipelines.transforms.runtime import running  # noqa: PLC0415 - imports Beam, as `run` has done

    for runtime in running():
        if not runtime.leave(LEAVE_S):
            _LOG.warning("left without handing over: the group finds out by itself", limit_s=LEAVE_S)
    _leave(0)


def _leave(code: int) -> None:
    """End now: Beam's worker threads do not end by themselves."""
    sys.stderr.flush()
    os._exit(code)
