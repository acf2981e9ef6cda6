"""`taishi places`: the district's streets, communities and grids."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from schemas.errors import SettingsError
from schemas.places.datum import DATUMS, checked_datum, to_wgs84
from schemas.places.geojson import layer_to_geojson
from schemas.places.layer import GridLayer
from schemas.places.model import LEVELS
from taishi.places import layers_folder, load_layer, load_registry
from taishi.settings import load_settings

__all__ = ["places"]


@click.group()
def places() -> None:
    """The places of the district: 11 streets, 50 communities and their grids.

    The grids shipped are SYNTHETIC (no public layer of the real ones exists): import your own with
    `taishi places import FILE.geojson`.
    """


@places.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--crs", type=click.Choice(DATUMS), default=None, help="Datum, where the file says none.")
@click.option(
    "--valid-from", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Day it comes into force."
)
def import_(file: Path, crs: str | None, valid_from: datetime | None) -> None:
    """Check a grid layer and put it into force from a day on.

    FILE is a GeoJSON FeatureCollection with "crs" (WGS-84, GCJ-02 or BD-09) and "valid_from" beside
    "type"; each feature has the properties code, name and kind (base or dedicated). Overlaps, holes,
    orphans and bad codes are refused, each with its feature. Earlier layers stay for earlier days.
    """
    settings = load_settings()
    layer = load_layer(file, settings.district, crs=crs, valid_from=valid_from.date() if valid_from else None)
    target = layers_folder(settings) / f"{settings.district}-{layer.valid_from}.geojson"
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".part")
    unfinished.write_bytes(layer_to_geojson(layer))
    unfinished.replace(target)
    click.echo(f"imported {_summary(layer)}, in force from {layer.valid_from}: {target}")


@places.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--crs", type=click.Choice(DATUMS), default=None, help="Datum, where the file says none.")
def check(file: Path | None, crs: str | None) -> None:
    """Check FILE, or the layer in force, and say what is wrong with which feature."""
    settings = load_settings()
    if file is None:
        layer = load_registry(settings).layer
    else:
        layer = load_layer(file, settings.district, crs=crs, valid_from=date.max)
    click.echo(f"well: {_summary(layer)}")


@places.command("list")
@click.option("--level", type=click.Choice(LEVELS), default=None, help="Only this level.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_(level: str | None, *, as_json: bool) -> None:
    """List the places by code."""
    registry = load_registry(load_settings())
    rows = [place for each in LEVELS if level in {None, each} for place in registry.at(each)]
    if as_json:
        click.echo(json.dumps([_row(place.code, place.name, place.level, place.kind) for place in rows],
                              ensure_ascii=False))  # fmt: skip
        return
    table = Table("编码 code", "名称 name", "层级 level", "类型 kind")
    for place in rows:
        table.add_row(place.code, place.name, place.level, place.kind or "")
    Console().print(table)


def _row(code: str, name: str, level: str, kind: str | None) -> dict[str, str | None]:
    return {"code": code, "name": name, "level": level, "kind": kind}


@places.command()
@click.argument("longitude", type=float)
@click.argument("latitude", type=float)
@click.option(
    "--crs", type=click.Choice(DATUMS), required=True, help="Datum of the point; there is no default."
)
def locate(longitude: float, latitude: float, crs: str) -> None:
    """Say which grid a point lies in."""
    registry = load_registry(load_settings())
    code = registry.locate(*to_wgs84(checked_datum(crs), longitude, latitude))
    if code is None:
        raise SettingsError(f"{longitude}, {latitude} ({crs}) lies in no grid of the layer in force")
    place = registry.place(code)
    click.echo(f"{code} {place.name if place else ''}")


@places.command()
@click.option(
    "--output", type=click.Path(path_type=Path), default=None, help="File; standard output if unset."
)
def export(output: Path | None) -> None:
    """Write the layer in force as GeoJSON (WGS-84): a template for your own."""
    data = layer_to_geojson(load_registry(load_settings()).layer)
    if output is None:
        click.echo(data)
    else:
        output.write_bytes(data)
        click.echo(f"wrote {output}", err=True)


def _summary(layer: GridLayer) -> str:
    base = sum(grid.kind == "base" for grid in layer.grids)
    label = ", SYNTHETIC (合成)" if layer.synthetic else ""
    return f"{len(layer.grids)} grids ({base} base, {len(layer.grids) - base} dedicated){label}"
