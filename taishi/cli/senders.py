"""`taishi senders`: who may send over HTTP and MQTT."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.errors import SettingsError
from taishi.doors import tls_pair
from taishi.mosquitto import access_list, configuration, passwords
from taishi.people import written_down
from taishi.senders import Entry, editing, new_entry, read, users_of
from taishi.settings import load_settings

__all__ = ["senders"]

_OWN_TOPIC = "taishi/readings/%u"


@click.group()
def senders() -> None:
    """谁可以发送。Who may send over HTTP and MQTT; a running door sees a change within seconds."""


def _file() -> Path:
    path = load_settings().senders_file
    if path is None:
        raise SettingsError(
            "senders_file: not set, allowed: a path of your choice, in taishi.toml or TAISHI_SENDERS_FILE; "
            "with it set, nobody gets in who is not in the file"
        )
    return path


def _listed(values: Iterable[str]) -> list[str]:
    return [part for value in values for part in value.split(",") if part]


@senders.command()
@click.argument("name")
@click.option("--paths", multiple=True, metavar="/P,/P", help="HTTP paths it may post to")
@click.option("--hmac", "signs", is_flag=True, help="over HTTP it signs each request instead of a token")
@click.option("--mqtt", is_flag=True, help="it may connect to the MQTT broker, with its name as the user")
@click.option(
    "--topics", multiple=True, metavar="T,T", help=f"MQTT topics it may publish to. Default: {_OWN_TOPIC}"
)
@click.option("--connector", is_flag=True, help="over MQTT it may subscribe to everything: Taishi's own user")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def add(  # noqa: PLR0913 - one parameter an option
    *,
    name: str,
    paths: tuple[str, ...],
    signs: bool,
    mqtt: bool,
    topics: tuple[str, ...],
    connector: bool,
    as_json: bool,
) -> None:
    """Add a sender and print its secret, once: it is kept as a hash only.

    \b
    taishi senders add camera-7 --paths /hikvision
    taishi senders add gateway-1 --paths /readings --hmac
    taishi senders add a84041000181c061 --mqtt
    taishi senders add chirpstack --mqtt --topics application/+/device/+/event/up
    taishi senders add connect-mqtt --mqtt --connector
    """  # noqa: D301 - \b is click's mark for lines that stay lines  # fmt: skip
    if not mqtt and (topics or connector):
        raise click.UsageError("--topics and --connector need --mqtt")
    if not mqtt and not paths:
        raise click.UsageError("name --paths, --mqtt or both")
    if signs and not paths:
        raise click.UsageError("--hmac needs --paths")
    default = () if connector or not mqtt else (_OWN_TOPIC,)
    entry, secret = new_entry(
        name,
        paths=_listed(paths),
        topics=_listed(topics) or default,
        subscribes=connector,
        signs=signs,
        mqtt=mqtt,
    )
    with editing(_file()) as entries:
        if any(each.name == name for each in entries):
            raise SettingsError(f"sender: received {name}, which is there; allowed: a new name, or remove it")
        written_down("senders.add", name, " ".join((*entry.paths, *entry.topics)))
        entries.append(entry)
    if as_json:
        click.echo(json.dumps(_facts(entry) | {"secret": secret}, ensure_ascii=False))
        return
    click.echo(secret)
    click.echo("以上密钥只显示一次 The secret above is shown this once.", err=True)


@senders.command("list")
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def list_(as_json: bool) -> None:
    """List senders: how each shows who it is, and what it may; never a secret."""
    entries = read(_file())
    if as_json:
        click.echo(json.dumps([_facts(entry) for entry in entries], ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("名称\nname", "凭证\nshows", "路径\npaths", "主题\ntopics", "订阅\nsubscribes"):
        table.add_column(title)
    for entry in entries:
        cells = (
            *(entry.name, ", ".join(entry.schemes), ", ".join(entry.paths), ", ".join(entry.topics)),
            "#" if entry.subscribes else "",
        )
        table.add_row(*map(escape, cells))
    Console().print(table)


@senders.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a sender: what it sends from now on is refused."""
    with editing(_file()) as entries:
        left = [entry for entry in entries if entry.name != name]
        if len(left) == len(entries):
            names = ", ".join(entry.name for entry in entries) or "none"
            raise SettingsError(f"sender: received {name}, allowed: {names}")
        written_down("senders.remove", name)
        entries[:] = left
    click.echo(f"removed {name}")


@senders.command("export-mosquitto")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--port", default=8883, show_default=True, type=click.IntRange(1, 65535))
@click.option("--certificate", type=click.Path(path_type=Path), help="Default: broker_tls_certificate")
@click.option("--key", type=click.Path(path_type=Path), help="Default: broker_tls_key")
def export_mosquitto(folder: Path, port: int, certificate: Path | None, key: Path | None) -> None:
    """Write mosquitto.conf, passwords and access into FOLDER: TLS only, the same senders, the same rights.

    Mosquitto must be able to read FOLDER; send it SIGHUP after a new export.
    """
    settings = load_settings()
    pair = tls_pair(
        "broker_tls", certificate or settings.broker_tls_certificate, key or settings.broker_tls_key
    )
    if pair is None:
        raise SettingsError("--certificate and --key: received none, allowed: PEM files, or broker_tls_… set")
    users = users_of(read(_file()))
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "passwords": passwords(users),
        "access": access_list(users),
        "mosquitto.conf": configuration(folder, port, *(path.absolute() for path in pair)),
    }
    for name, text in texts.items():
        made = os.open(folder / f"{name}.part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(made, "w", encoding="utf-8") as file:
            file.write(text)
        (folder / f"{name}.part").replace(folder / name)
    click.echo(f"wrote {', '.join(texts)} for {len(users)} users to {folder}")


def _facts(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "shows": entry.schemes,
        "paths": entry.paths,
        "topics": entry.topics,
        "subscribes": entry.subscribes,
    }
