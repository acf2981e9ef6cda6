"""`taishi replay`: a recording, as if it happened now, or at its own times."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from connectors.base import Devices, Message
from connectors.file.mapping import FileMapping, load_mapping, shipped_mappings
from connectors.file.pace import due_ms
from connectors.file.recording import NO_TIME_MS, Recording, read_recording
from connectors.file.rows import FileCodec, SpreadDevices
from connectors.gateway import Gateway, Outcome
from connectors.judge import judge
from connectors.producer import LogProducer
from connectors.registry import DeviceRegistry
from connectors.resolve import Resolver
from operations.oncall.clock import now_ms
from schemas.errors import SettingsError
from schemas.places.registry import PlaceRegistry
from schemas.readings import Reading
from schemas.topics import QUARANTINE
from taishi.cli.backfill import backfill_readings
from taishi.kafka import kafka_of
from taishi.keys import guard_of
from taishi.places import load_registry
from taishi.settings import Settings, load_settings

__all__ = ["replay"]

_WAIT_S = 0.05
_DRAIN_S = 60.0


@dataclass
class _Tally:
    """What became of the rows; callbacks come from the delivery thread."""

    confirmed: int = 0
    readings: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def done(self, outcome: Outcome) -> None:
        with self.changed:
            self.confirmed += 1
            self.readings += outcome.readings
            if outcome.rejected is not None:
                self.quarantined[outcome.rejected.reason.value] += 1
            self.changed.notify_all()

    def wait_for(self, confirmed: int, limit_s: float) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.confirmed >= confirmed, limit_s)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format", "--mapping", "mapping_name", required=True, metavar="NAME|FILE",
    help=f"What the columns mean: {', '.join(shipped_mappings())}, or a mapping file (TOML).",
)  # fmt: skip
@click.option("--speed", default="1", show_default=True, metavar="X|max", help="1 is its own pace.")
@click.option(
    "--as-recorded", is_flag=True, help='At its own times, straight into InfluxDB, where it is "recorded".'
)
@click.option("--limit", type=click.IntRange(min=1), default=None, help="Only the first N rows by time.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def replay(
    files: tuple[Path, ...],
    mapping_name: str,
    speed: str,
    limit: int | None,
    *,
    as_recorded: bool,
    as_json: bool,
) -> None:
    """Send recordings (CSV or NDJSON, .gz too) through the same door as live messages.

    Shifted to begin now, at their own pace or --speed times as fast; --speed max sends as fast as
    Kafka takes them. Rows that cannot be taken go to quarantine with their reason. Recordings of other
    cities are spread over this district's grids; their source, file.<mapping>, says so. --as-recorded
    gives windows of 1 minute and 1 hour in the retention policy "recorded", apart from the district's own.

    \b
    taishi replay on-street-parking-bay-sensors.csv --format melbourne-bays --as-recorded
    taishi replay Activity_events.csv.gz --format tihm-activity --speed 1000
    """  # noqa: D301 - \b is click's mark for lines that stay lines
    settings = load_settings()
    pace = _speed(speed)
    mapping = load_mapping(mapping_name)
    for file in files:
        recording = read_recording(file, mapping).head(limit)
        send = _as_recorded if as_recorded else _as_now
        result = send(settings, mapping, recording, pace)
        if as_json:
            click.echo(json.dumps({"file": str(file)} | result))
        else:
            _tell(file, result)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise SettingsError(f"--speed: received {text!r}, allowed: a positive number, or max")
    return speed


def _as_now(
    settings: Settings, mapping: FileMapping, recording: Recording, speed: float | None
) -> dict[str, object]:
    """Row by row through the gateway, each when it is due; returns when Kafka has confirmed all."""
    producer = LogProducer(kafka_of(settings), _fail)
    devices, places = _devices(settings, mapping)
    codec = FileCodec(mapping, recording.header, numbered=True)
    gateway = Gateway("file", {mapping.name: codec}, devices, _resolver(settings, devices, places), producer)
    tally, waiting = _Tally(), threading.Event()
    due = due_ms(recording.times_ms, now_ms(), speed or float("inf"))
    with _progress(recording) as advance:
        for sent, (line, number, time_ms) in enumerate(_rows(recording)):
            if speed is not None:
                waiting.wait(max(0.0, (int(due[sent]) - now_ms()) / 1000))
            while not gateway.has_room():
                tally.wait_for(tally.confirmed + 1, _WAIT_S)
            observed_ms = NO_TIME_MS if time_ms == NO_TIME_MS else now_ms()
            address = f"{recording.path.name}:{number}#{observed_ms}"
            gateway.accept(Message(line, address, now_ms()), mapping.name, tally.done)
            advance(1)
    if not tally.wait_for(len(recording.lines), _DRAIN_S):
        raise SettingsError(
            f"Kafka confirmed {tally.confirmed} of {len(recording.lines)} rows; is it well? (taishi status)"
        )
    producer.close(_DRAIN_S)
    return {"rows": tally.confirmed, "readings": tally.readings, "quarantined": dict(tally.quarantined)}


def _as_recorded(
    settings: Settings, mapping: FileMapping, recording: Recording, _speed_unused: float | None
) -> dict[str, object]:
    """All rows decoded, the good ones folded at their own times, the refused ones to quarantine."""
    devices, places = _devices(settings, mapping)
    resolver = _resolver(settings, devices, places)
    codec = FileCodec(mapping, recording.header, numbered=False)
    producer = LogProducer(kafka_of(settings), _fail)
    readings: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    refused: Counter[str] = Counter()
    tally = _Tally()
    with _progress(recording) as advance:
        for line, number, time_ms in _rows(recording):
            message = Message(line, f"{recording.path.name}:{number}#{time_ms}", now_ms())
            verdict = judge(message, codec.decode(message, devices), f"file.{mapping.name}", resolver)
            for record in verdict.records:
                if record.topic != QUARANTINE:
                    reading = msgspec.json.decode(record.value, type=Reading)
                    readings[record.topic.rpartition(".")[2]].append((reading.observed_at_ms, record.value))
            if verdict.rejected is not None:
                refused[verdict.rejected.reason.value] += 1
                kept = tuple(record for record in verdict.records if record.topic == QUARANTINE)
                producer.deliver(kept, lambda: tally.done(Outcome(0, 0, None)))
            advance(1)
    if not tally.wait_for(sum(refused.values()), _DRAIN_S):
        raise SettingsError("Kafka did not confirm the quarantined rows; is it well? (taishi status)")
    producer.close(_DRAIN_S)
    folded = sum(map(len, readings.values()))
    with Console(stderr=True).status(f"{folded:,} readings: folding them, then writing their windows"):
        counts = backfill_readings(settings, readings)
    # What the door refused is in quarantine; what the fold would not count is a number of its own.
    counts["not_counted"] = counts.pop("quarantined", 0)
    return {"rows": len(recording.lines), "quarantined": dict(refused)} | counts


def _devices(settings: Settings, mapping: FileMapping) -> tuple[Devices, PlaceRegistry]:
    places = load_registry(settings)
    if mapping.place == "registry":
        return DeviceRegistry(settings.devices_file or settings.home / "devices.csv"), places
    return SpreadDevices(places.grid_codes, mapping), places


def _resolver(settings: Settings, devices: Devices, places: PlaceRegistry) -> Resolver:
    guard, _ = guard_of(settings)
    return Resolver(devices, places, guard)


def _rows(recording: Recording) -> Iterator[tuple[bytes, int, int]]:
    return zip(recording.lines, recording.numbers.tolist(), recording.times_ms.tolist(), strict=True)


@contextmanager
def _progress(recording: Recording) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(recording.path.name, total=len(recording.lines))
        yield lambda count: bar.advance(task, count)


def _tell(file: Path, result: dict[str, object]) -> None:
    counts = ", ".join(f"{value} {name}" for name, value in result.items() if name != "quarantined")
    refused = result["quarantined"] or "none"
    click.echo(f"{file.name}: {counts}; quarantined: {refused} (taishi quarantine list)")


def _fail(why: str) -> None:
    sys.stderr.write(f"taishi: cannot go on: {why}\n")
    sys.stderr.flush()
    os._exit(1)
