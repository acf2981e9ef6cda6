"""`taishi backfill`: recompute a past range from the log or from recordings."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from pipelines.kernels.settled import Range
from pipelines.kernels.state import FoldSettings
from schemas.errors import SettingsError
from schemas.kinds import DOMAINS
from schemas.store import HOUR_S
from schemas.topics import readings_topic
from taishi import logs
from taishi.cli.worker import fold_settings
from taishi.kafka import kafka_of
from taishi.settings import Settings, load_settings
from taishi.store import influx_settings, recorded_settings

if TYPE_CHECKING:
    from pipelines.io.bounded import LogStretch

__all__ = ["backfill", "backfill_readings", "parse_time_ms", "tell"]

_FOREVER = Range(0, 2**53, heard=True)
_RECORDED = FoldSettings(window_s=(60, 3600), delay_ms=0, lateness_ms=0)
"""Recordings are sorted, so nothing is late, and span months: windows of a minute and an hour."""


@click.command()
@click.option(
    "--from", "from_", required=True, metavar="TIME", help="First window's start, e.g. 2026-11-22T08:00."
)
@click.option(
    "--to", required=True, metavar="TIME", help="Last window's end; local time unless it has an offset."
)
@click.option(
    "--domain", "domains", type=click.Choice(DOMAINS), multiple=True, help="Only these; default: all."
)
@click.option(
    "--as-received", is_flag=True, help="Count what `quarantine replay` sent again where it came at first."
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
def backfill(from_: str, to: str, domains: tuple[str, ...], *, as_received: bool, as_json: bool) -> None:
    """Recompute the windows of a past range from the log, and upsert them into InfluxDB.

    The same kernels as live, so the same values: after InfluxDB was wiped, or came back late. With
    --as-received what was refused and sent again later counts as if it had been good at first. Hours
    that the range touches are made whole; windows older than their retention are counted as
    points_expired and not kept. Nobody is notified. For recordings see `taishi replay FILE --as-recorded`.
    """
    settings = load_settings()
    _quiet()
    from pipelines.io.bounded import ReceivedStretch  # noqa: PLC0415 - Beam takes seconds to import
    from pipelines.jobs.backfill import BackfillSettings, log_stretches  # noqa: PLC0415
    from pipelines.jobs.backfill import backfill as run  # noqa: PLC0415

    from_ms, to_ms = parse_time_ms(from_), parse_time_ms(to)
    if to_ms <= from_ms:
        raise SettingsError(f"--to: received {to!r}, allowed: a time after --from {from_!r}")
    topics = [readings_topic(domain) for domain in DOMAINS if not domains or domain in domains]
    log = log_stretches(kafka_of(settings), topics)
    wanted = Range(from_ms, to_ms, whole_from_ms=_whole_from_ms(settings, log, from_ms))
    stretches = [ReceivedStretch(each) for each in log] if as_received else log
    click.echo(f"folding {len(stretches)} shards from their oldest record on", err=True)
    tell(
        run(BackfillSettings(fold_settings(settings), wanted, influx_settings(settings)), stretches),
        as_json=as_json,
    )


def _whole_from_ms(settings: Settings, log: Sequence[LogStretch], from_ms: int) -> int:
    """From when on every shard's log holds every reading; told if that is later than was asked for."""
    cut_ms = max((stretch.cut_at_ms() for stretch in log), default=0)
    whole_from_ms = cut_ms + settings.skew_max_s * 1000 if cut_ms else 0
    if whole_from_ms > from_ms // (HOUR_S * 1000) * HOUR_S * 1000:
        begins = datetime.fromtimestamp(whole_from_ms / 1000, ZoneInfo("Asia/Shanghai"))
        click.echo(
            f"the log is whole from {begins:%Y-%m-%d %H:%M:%S}: windows before are left alone", err=True
        )
    return whole_from_ms


def backfill_readings(settings: Settings, readings: dict[str, list[tuple[int, bytes]]]) -> dict[str, int]:
    """Fold readings of files, (observed_at_ms, JSON) by domain, at their own times, into InfluxDB.

    Windows of 1 minute and 1 hour, those in which something was heard: a recording may be silent
    for years. In a retention policy of their own: they are older than others keep, and not this district.
    """
    _quiet()
    from pipelines.io.bounded import SpooledStretch, spool  # noqa: PLC0415 - Beam takes seconds to import
    from pipelines.jobs.backfill import BackfillSettings  # noqa: PLC0415
    from pipelines.jobs.backfill import backfill as run  # noqa: PLC0415

    close_after_ms = max(_RECORDED.window_s) * 1000
    with tempfile.TemporaryDirectory(prefix="taishi-backfill-") as folder:
        stretches = []
        for domain, rows in readings.items():
            path = Path(folder) / f"{domain}.ndjson"
            spool(path, rows)
            stretches.append(SpooledStretch(path, f"file.{domain}/0", close_after_ms))
        return run(BackfillSettings(_RECORDED, _FOREVER, recorded_settings(settings)), stretches)


def parse_time_ms(text: str) -> int:
    """ISO 8601 to ms; without an offset it is the district's local time (Asia/Shanghai)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            f"time: received {text!r}, allowed: ISO 8601, such as 2026-11-22T08:00"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return int(moment.timestamp() * 1000)


def tell(counts: dict[str, int], *, as_json: bool) -> None:
    """Say what was folded and written."""
    if as_json:
        click.echo(json.dumps(counts))
        return
    words: Sequence[str] = [f"{count:,} {what}" for what, count in sorted(counts.items())]
    click.echo("; ".join(words) or "nothing to do: the range holds no window")


def _quiet() -> None:
    """Only what concerns this command; Beam, as it is imported, warns of clouds that nobody asked for."""
    logs.configure("backfill", "warning")
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    logging.getLogger().addFilter(lambda record: "apitools" not in record.getMessage())
