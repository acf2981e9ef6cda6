"""`taishi quarantine`: what was refused and why."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connectors.codecs import personal_names
from schemas.errors import SettingsError
from schemas.quarantine import Reason
from taishi.kafka import kafka_of
from taishi.keys import keys_of
from taishi.people import written_down
from taishi.quarantine.read import read, read_one
from taishi.quarantine.records import Held, Position, Selection, excerpt, explained, opened, parse_since
from taishi.quarantine.resend import Outcome, resend
from taishi.settings import load_settings

__all__ = ["quarantine"]


def _selecting(command: Callable[..., None]) -> Callable[..., None]:
    """The filters that `list` and `replay` share."""
    options: tuple[Any, ...] = (
        click.option(
            "--reason", type=click.Choice([reason.value for reason in Reason]), help="only this reason"
        ),
        click.option("--source", help="only this source, such as mqtt.chirpstack"),
        click.option("--since", help="only since: 30m, 2h, 7d or an ISO 8601 moment"),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _selection(reason: str | None, source: str | None, since: str | None) -> Selection:
    since_ms = parse_since(since, datetime.now(UTC)) if since else None
    return Selection(Reason(reason) if reason else None, source, since_ms)


@click.group()
def quarantine() -> None:
    """隔离区。What could not be taken, with its reason and its original bytes."""


@quarantine.command("list")
@_selecting
@click.option("--limit", default=100, show_default=True, help="the newest so many", type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def list_(reason: str | None, source: str | None, since: str | None, limit: int, as_json: bool) -> None:
    """List records, oldest first: position, time, reason, source, address, detail; never their content.

    A detail may name a person: it is shown where the keys are, and that somebody read them is in the audit.
    """
    settings, selection = load_settings(), _selection(reason, source, since)
    records, keys = deque(read(kafka_of(settings), selection), maxlen=limit), keys_of(settings)
    if keys is not None and any(record.what.sealed_detail for record in records):
        written_down("quarantine.list", detail=f"{len(records)} records", settings=settings)
        records = deque(explained(record, keys) for record in records)
    if as_json:
        click.echo(json.dumps([record.facts() for record in records], ensure_ascii=False, indent=2))
        return
    Console().print(_table(records))


def _table(records: Iterable[Held]) -> Table:
    """One line a record; what does not fit is cut, `show` has it whole."""
    table = Table(box=None, pad_edge=False, expand=True)
    for title in ("位置\nposition", "时间\ntime", "原因\nreason", "来源\nsource"):
        table.add_column(title, no_wrap=True)
    for title in ("地址\naddress", "说明\ndetail"):
        table.add_column(title, no_wrap=True, overflow="ellipsis", ratio=1)
    for record in records:
        what, at = record.what, datetime.fromtimestamp(record.appended_at_ms / 1000, UTC).astimezone()
        table.add_row(
            *map(escape, (str(record.position), f"{at:%m-%d %H:%M:%S}", what.reason.value, what.source)),
            escape(what.address),
            escape("封存 sealed" if what.sealed_detail else what.detail),
        )
    return table


@quarantine.command()
@click.argument("position")
@click.option("--raw", type=click.Path(dir_okay=False, path_type=Path), help="write the original bytes here")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def show(position: str, raw: Path | None, as_json: bool) -> None:
    """Show one record (PARTITION:OFFSET): its facts and the first 200 bytes of its content.

    Who opened which record is in the audit, before it is opened.
    """
    settings, at = load_settings(), Position.parse(position)
    written_down("quarantine.show" if raw is None else "quarantine.raw", str(at), settings=settings)
    record = opened(read_one(kafka_of(settings), at), keys_of(settings))
    if raw is not None:
        if record.what.sealed:
            raise SettingsError(f"{position} stays sealed: {record.what.detail}")
        raw.write_bytes(record.what.payload)
    shown = "" if record.what.sealed else excerpt(record.what.payload, personal_names())
    facts = record.facts() | {"excerpt": shown}
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    for name, value in facts.items():
        click.echo(f"{name:>15}  {value}")


@quarantine.command()
@click.argument("positions", nargs=-1)
@_selecting
@click.option("--json", "as_json", is_flag=True, help="a JSON array of the outcomes")
def replay(
    positions: tuple[str, ...], reason: str | None, source: str | None, since: str | None, as_json: bool
) -> None:
    """Send records again by the way they came: POSITIONS, or all that the filters take.

    Exit 1 unless every one was accepted. The records stay in quarantine; a reading that was stored
    before is a duplicate and changes nothing.
    """
    if bool(positions) == any((reason, source, since)):
        raise click.UsageError("name either POSITIONS or filters (--reason, --source, --since)")
    settings = load_settings()
    keys = keys_of(settings)
    if positions:
        found = [read_one(kafka_of(settings), Position.parse(text)) for text in positions]
    else:
        found = list(read(kafka_of(settings), _selection(reason, source, since)))
    records = [opened(record, keys) for record in found]
    _say(records, resend(settings, records), as_json)


def _say(records: list[Held], outcomes: list[Outcome], as_json: bool) -> None:
    if as_json:
        rows = [{"position": o.position, "result": o.result, "detail": o.detail} for o in outcomes]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for outcome in outcomes:
            click.echo(f"{outcome.position}  {outcome.result}  {outcome.detail}")
        accepted = sum(outcome.result == "accepted" for outcome in outcomes)
        click.echo(f"{accepted} 条已接收 accepted, of {len(records)}")
    if any(outcome.result != "accepted" for outcome in outcomes):
        sys.exit(1)
