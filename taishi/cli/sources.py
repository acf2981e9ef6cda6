"""`taishi sources`: how good what each source and vendor sends is."""

from __future__ import annotations

import dataclasses
import json
import signal
import threading
from collections.abc import Iterable
from datetime import date
from typing import Final

import click
import structlog
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.embedded.settings import METRICS_OFFSETS
from operations.cases.clocks import DAY_MS
from operations.oncall.clock import now_ms
from taishi import logs, metrics
from taishi.boards_feed import Feeder
from taishi.outcomes import vendor_outcomes
from taishi.serving import running
from taishi.settings import Settings, load_settings
from taishi.status.collect import Collector
from taishi.status.month import Month, month_csv, month_of, month_query
from taishi.status.outcomes import OutcomeScore
from taishi.status.record import EVERY_S, Recorder, look, memory, remembered
from taishi.status.scores import Score, scores
from taishi.status.vendors import VendorScore

__all__ = ["sources"]

_SOURCE: Final = (
    *("来源\nsource", "消息\nmessages", "坏\nbad", "读数\nreadings"),
    *("迟到\nlate", "重复\ndouble", "不可信\nimplausible"),
)
_VENDOR: Final = (
    *("厂商\nvendor", "读数\nreadings", "坏\nbad", "迟到\nlate", "重复\ndouble"),
    *("静默\nsilent", "时钟偏差\nclock off"),
)
_OUTCOMES: Final = (
    *("厂商\nvendor", "有结论\nconcluded", "真实\nreal", "误报\nnuisance"),
    *("设备故障\ndevice fault", "误报率\nfalse alarms"),
)
_LEFT: Final = ("来源\nsource", "厂商\nvendor")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="a JSON object: sources, vendors, outcomes")
@click.option(
    "--serve",
    is_flag=True,
    help="write the scores, and what boards need, into InfluxDB, on and on; `up` does this",
)
@click.option(
    "--every-s",
    type=click.FloatRange(1),
    default=EVERY_S,
    show_default=True,
    help="with --serve: between two looks",
)
@click.option(
    "--days", type=click.IntRange(1), default=30, show_default=True, help="of what people said of alerts"
)
@click.option("--month", metavar="YYYY-MM", help="instead: that month's scorecard as CSV, from InfluxDB")
def sources(*, as_json: bool, serve: bool, every_s: float, days: int, month: str | None) -> None:
    """Score sources and their vendors: shares of what is bad, late, double; silence and clocks; false alarms.

    An alarm was false when somebody at the desk concluded that it was a nuisance or a fault of the device.
    """
    settings = load_settings()
    if serve:
        _serve(settings, every_s)
        return
    if month is not None:
        _print_month(settings, month_of(month), every_s)
        return
    store = memory(settings)
    with Collector(settings) as collector:
        seen = look(settings, collector)
    of_sources, of_vendors = scores(seen.sources), seen.scores(remembered(store))
    store.close()
    now = now_ms()
    of_alerts = vendor_outcomes(settings, now - days * DAY_MS, now + 1)
    if as_json:
        told = {
            "sources": [dataclasses.asdict(score) for score in of_sources],
            "vendors": [dataclasses.asdict(score) for score in of_vendors],
            "outcomes": [dataclasses.asdict(score) for score in of_alerts],
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    console = Console()
    console.print(_source_table(of_sources))
    if of_vendors:
        console.print()
        console.print(_vendor_table(of_vendors))
    if of_alerts:
        console.print()
        console.print(_outcome_table(of_alerts))
    for name, reasons in (
        *((score.source, score.reasons) for score in of_sources),
        *((f"{score.source} {score.vendor}", score.reasons) for score in of_vendors),
    ):
        if reasons:
            click.echo(f"{name}: " + ", ".join(f"{reason} {count}" for reason, count in reasons))


def _print_month(settings: Settings, month: Month, every_s: float) -> None:
    store = memory(settings)
    rows = store.query(month_query(month))
    store.close()
    outcomes = vendor_outcomes(settings, month.from_ms, month.until_ms)
    click.echo(month_csv(month, rows, outcomes, every_s), nl=False)


def _serve(settings: Settings, every_s: float) -> None:
    logs.configure("sources")
    metrics.serve(settings.metrics_port + METRICS_OFFSETS["sources"], settings.metrics_host)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    structlog.get_logger(__name__).info("keeping the scorecard", every_s=every_s)
    feeding = running("boards", Feeder(settings, date.today).run, stopping)
    Recorder(settings, stopping).run(every_s)
    feeding.join()


def _table(columns: Iterable[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in columns:
        table.add_column(title, justify="left" if title in _LEFT else "right", no_wrap=True)
    return table


def _source_table(found: Iterable[Score]) -> Table:
    table = _table(_SOURCE)
    for score in found:
        late, duplicate, implausible = map(_percent, (score.late, score.duplicate, score.implausible))
        messages, readings = f"{score.messages:,}", f"{score.readings:,}"
        table.add_row(score.source, messages, _percent(score.bad), readings, late, duplicate, implausible)
    return table


def _vendor_table(found: Iterable[VendorScore]) -> Table:
    """The vendors below their source; what is unusual of silence and clock carries `!`."""
    table, source = _table(_VENDOR), ""
    for score in found:
        if score.source != source:
            source = score.source
            table.add_row(source)
        bad, late, duplicate = map(_percent, (score.bad, score.late, score.duplicate))
        silent = _flagged(score.silent_s, flag=score.silent)
        clock = _flagged(score.clock_s, flag=score.clock_off)
        name = f"  {escape(score.vendor)}"
        table.add_row(name, f"{score.readings:,}", bad, late, duplicate, silent, clock)
    return table


def _outcome_table(found: Iterable[OutcomeScore]) -> Table:
    table = _table(_OUTCOMES)
    for each in found:
        counts = (each.concluded, each.real, each.nuisance, each.device_fault)
        table.add_row(escape(each.vendor), *(f"{count:,}" for count in counts), _percent(each.false_alarms))
    return table


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"


def _flagged(seconds: float | None, *, flag: bool) -> str:
    """Seconds, as minutes or hours where there are many."""
    if seconds is None:
        return "–"
    unit_s, unit = next(
        (each for each in ((3600, "h"), (60, "min")) if abs(seconds) >= 2 * each[0]), (1, "s")
    )
    return ("! " if flag else "") + f"{seconds / unit_s:.1f} {unit}"
