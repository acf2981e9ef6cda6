"""`taishi store`: InfluxDB's databases and retention policies."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import httpx
import urllib3

from pipelines.io.influxdb import InfluxDb
from schemas.errors import SettingsError
from schemas.store import bucket
from taishi.settings import Settings, load_settings
from taishi.store import disk_bytes, influx_settings
from taishi.store_tokens import make_tokens
from taishi.store_users import make_users

__all__ = ["store"]

_DAY_S: Final = 86_400
_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class _Kept:
    """A bucket: how long it keeps (None: no policy of ours) and how large it is (None: not told)."""

    bucket: str
    keep_days: float | None
    disk_bytes: int | None


@click.group()
def store() -> None:
    """What InfluxDB keeps for how long: one retention policy a window size (docs/store.md)."""


@store.command()
def create() -> None:
    """Make the databases and policies that are missing, correct those that are otherwise; `up` does this.

    Of what is there nothing is dropped: a policy that no setting names stays with its data.
    """
    settings = load_settings()
    with _opened(settings) as opened:
        opened.create_database()
        click.echo("; ".join(f"{kept.bucket} kept {kept.keep_days:g} d" for kept in _kept(settings, {})))


@store.command()
@click.option("--json", "as_json", is_flag=True, help="one JSON list")
def show(*, as_json: bool) -> None:
    """Each policy, how long it keeps, and its size on disk; also what is not ours in these databases."""
    settings = load_settings()
    with _opened(settings) as opened:
        every = _kept(settings, disk_bytes(opened))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(kept) for kept in every]))
        return
    for kept in every:
        keeps = "no policy of these settings" if kept.keep_days is None else f"kept {kept.keep_days:g} d"
        size = "size not told" if kept.disk_bytes is None else f"{kept.disk_bytes / _MIB:,.1f} MiB"
        click.echo(f"{kept.bucket:<24} {size:>14}  {keeps}")


@store.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def users(folder: Path) -> None:
    """Make the users of a 1.8 that wants some: who writes, who reads, Grafana's classes; passwords in FOLDER.

    With the administrator's influxdb_token: it is made where there is none, and so are the databases.
    """
    with _opened(load_settings()) as opened:
        for made in make_users(opened, folder):
            rights = ", ".join(f"{right} {name}" for name, right in made.rights)
            click.echo(f"{folder / made.purpose}: {made.user}: {rights}")


@store.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--grafana-readable",
    is_flag=True,
    help="any user may read FOLDER/grafana's files: for a Grafana of another user, with a volume of its own",
)
def tokens(folder: Path, *, grafana_readable: bool) -> None:
    """Make the tokens of a 2.x, one each for who writes, who reads, Grafana's classes; each a file in FOLDER.

    With the administrator's influxdb_token, once `store create` has made the buckets. A token whose file is
    there stays; to replace one, delete its file and run this again.
    """
    settings = influx_settings(load_settings())
    try:
        made = make_tokens(settings, folder, grafana_readable=grafana_readable)
    except urllib3.exceptions.HTTPError as error:
        raise SettingsError(f"InfluxDB at {settings.url} does not answer: {type(error).__name__}") from error
    for each in made:
        may = "reads and writes" if each.writes else "reads"
        click.echo(f"{folder / each.file}: {may} {', '.join(each.databases)}")
    if not made:
        click.echo(f"{folder}: every token is there")


@contextmanager
def _opened(settings: Settings) -> Iterator[InfluxDb]:
    with closing(InfluxDb(influx_settings(settings))) as opened:
        try:
            yield opened
        except httpx.HTTPError as error:
            raise SettingsError(
                f"InfluxDB at {settings.influxdb_url} does not answer: {error or type(error).__name__}"
            ) from error


def _kept(settings: Settings, sizes: dict[str, int]) -> list[_Kept]:
    wanted = influx_settings(settings)
    ours: dict[str, float | None] = {
        bucket(database, policy.name): policy.keep_s / _DAY_S
        for database in wanted.databases
        for policy in wanted.policies
    }
    beside = [name for name in sorted(sizes) if name not in ours and name.split("/")[0] in wanted.databases]
    return [_Kept(name, ours.get(name), sizes.get(name)) for name in (*ours, *beside)]
