"""`taishi devices`: the device registry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connectors.auto_register import auto_path, read_auto
from connectors.base import Device
from connectors.enrolment import cells_of, checked
from connectors.registry import DeviceRegistry
from schemas.errors import SettingsError
from schemas.places.datum import DATUMS
from taishi.devices import devices_path, editing, read_rows, write
from taishi.places import load_registry
from taishi.settings import load_settings

__all__ = ["devices"]

_SHOWN = ("device", "kind", "grid", "vendor", "model", "longitude", "latitude", "crs")
_SHOWN_AUTO = ("device", "kind", "longitude", "latitude", "crs", "source", "first_seen")


@click.group()
def devices() -> None:
    """设备登记。The device registry; running connectors see a change within seconds."""


@devices.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--crs", type=click.Choice(DATUMS), default=None, help="Datum, where a row says none.")
@click.option(
    "--merge/--replace", default=True, help="Keep the devices FILE does not name (default), or not."
)
@click.option("--skip-bad", is_flag=True, help="Import the good rows though others are refused.")
def import_(file: Path, crs: str | None, *, merge: bool, skip_bad: bool) -> None:
    """Check FILE (CSV, or GeoJSON of Points whose properties are the columns) and put it into force.

    Every refused row is named; without --skip-bad nothing is written if there is one.
    """
    settings = load_settings()
    target = devices_path(settings)
    found, problems = checked(read_rows(file, crs), load_registry(settings))
    for problem in problems:
        click.echo(problem, err=True)
    if problems and not skip_bad:
        raise SettingsError(
            f"{file}: {len(problems)} rows refused, nothing imported; mend them or pass --skip-bad"
        )
    with editing(target):
        old = _standing(target) if merge else {}
        together = {**old, **found}
        write(target, together.values())
    click.echo(
        f"导入 imported {len(found)}, 拒绝 refused {len(problems)}, 现有 now {len(together)}: {target}"
    )


@devices.command()
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def check(*, as_json: bool) -> None:
    """Check the registry in use against kinds and the grid layer in force; exit 1 if a row is refused."""
    settings = load_settings()
    path = devices_path(settings)
    found, problems = checked(read_rows(path), load_registry(settings))
    if as_json:
        click.echo(json.dumps({"devices": len(found), "problems": problems}, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(problem, err=True)
        click.echo(f"正确 well: {len(found)} devices; 拒绝 refused: {len(problems)} rows: {path}")
    if problems:
        raise click.exceptions.Exit(1)


@devices.command("list")
@click.option("--kind", default=None, help="Only this kind.")
@click.option("--grid", default=None, help="Only grids whose code begins so.")
@click.option("--vendor", default=None, help="Only this vendor.")
@click.option("--auto", is_flag=True, help="Devices that nobody registered, oldest first (auto_register).")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_(*, kind: str | None, grid: str | None, vendor: str | None, auto: bool, as_json: bool) -> None:
    """List the registered devices by id."""
    if auto:
        if grid or vendor:
            raise click.UsageError("--auto: received --grid or --vendor, allowed: --kind")
        found = read_auto(auto_path(devices_path(load_settings())))
        _print([row for row in found if kind in {None, row["kind"]}], _SHOWN_AUTO, as_json=as_json)
        return
    registry = DeviceRegistry(devices_path(load_settings()))
    rows = [
        cells_of(device)
        for device in sorted(registry, key=lambda each: each.device)
        if kind in {None, device.kind}
        and device.grid.startswith(grid or "")
        and vendor in {None, device.vendor}
    ]
    _print(rows, _SHOWN, as_json=as_json)


def _print(rows: Iterable[Mapping[str, str]], shown: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(list(rows), ensure_ascii=False))
        return
    table = Table(*shown)
    for row in rows:
        table.add_row(*(escape(row[name]) for name in shown))
    Console().print(table)


def _standing(target: Path) -> dict[str, Device]:
    """What is registered; refused if rows of it are unreadable, for a merge would drop them."""
    if not target.is_file():
        return {}
    registry = DeviceRegistry(target)
    if registry.problems:
        raise SettingsError(
            f"{target}: {len(registry.problems)} rows are refused, the first: {registry.problems[0]}; "
            "mend them (taishi devices check) or pass --replace"
        )
    return {device.device: device for device in registry}
