"""`taishi retention`: what the desk keeps of people and places, and for how long."""

from __future__ import annotations

import json

import click

from operations.oncall.clock import now_ms
from operations.people.keep import keep_days, older_than_ms
from operations.store.expiry import ExpiryRows
from taishi.people import said
from taishi.settings import Settings, load_settings

__all__ = ["retention"]


@click.group()
def retention() -> None:
    """保存期限。How long the desk keeps what (desk_keep_days); the rest is taken out each day.

    `taishi desk serve` does that. Windows have policies of their own (`taishi store show`), topics of the log
    theirs. Cases and the record of who did what are kept.
    """


@retention.command()
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def show(*, as_json: bool) -> None:
    """What is kept how many days, and how much is over-age now. Nothing is taken out."""
    settings = load_settings()
    kept = keep_days(settings.desk_keep_days)
    store = _store(settings)
    over = store.over_age(older_than_ms(kept, now_ms()))
    store.close()
    _tell({name: {"keep_days": kept[name], "over_age": over[name]} for name in kept}, as_json=as_json)


@retention.command()
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def run(*, as_json: bool) -> None:
    """Take out now what is over-age; the record tells how many of what."""
    settings = load_settings()
    store = _store(settings)
    gone = store.expire(older_than_ms(keep_days(settings.desk_keep_days), now_ms()), said("retention.expire"))
    store.close()
    _tell({name: {"gone": count} for name, count in gone.items()}, as_json=as_json)


def _store(settings: Settings) -> ExpiryRows:
    if not settings.operations_database:
        (settings.home / "data").mkdir(parents=True, exist_ok=True)
    return ExpiryRows(settings.operations_url)


def _tell(facts: dict[str, dict[str, float]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, values in facts.items():
        click.echo(f"{name:<16} " + "  ".join(f"{key} {value:g}" for key, value in values.items()))
