"""`taishi residents`: who pseudonyms are of; sealed, and erased on request."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from connectors.privacy.keys import KeyFile, create_keys
from connectors.privacy.pseudonyms import PSEUDONYM, pseudonym
from operations.people.audit import Entry
from schemas.calendar import local
from schemas.errors import SettingsError
from taishi.keys import key_file
from taishi.people import opened, said, written_down
from taishi.residents import BEGUN, DONE, Residents, erased, finish, read_csv, vault_of
from taishi.settings import Settings, load_settings

__all__ = ["residents"]


@click.group()
def residents() -> None:
    """老人名册。The residents' register: import it, and erase somebody for good (docs/security.md)."""


def _register(settings: Settings) -> Residents:
    if settings.keys_file is None:
        create_keys(key_file(settings))
    return Residents(vault_of(settings), KeyFile(key_file(settings)))


@residents.command(name="import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def import_(file: Path) -> None:
    """Enter the residents of a CSV: identity,name,telephone,address,contact.

    Who is there under the same identity is replaced; who was erased on request is left out.
    """
    settings = load_settings()
    rows, register = read_csv(file), _register(settings)
    written_down("residents.import", str(file), f"{len(rows)} rows", settings)
    with opened(settings) as record:
        gone = frozenset(erased(record).values())
    made = register.take(rows, gone)
    click.echo(
        f"新增 new {made.new} · 更新 changed {made.changed} · 不变 same {made.same} · "
        f"已删除者不再收入 erased, left out {made.left_out}"
    )
    click.echo(f"请删除明文文件 now delete {file}: it names them in clear", err=True)


@residents.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def list_(*, as_json: bool) -> None:
    """Everybody by pseudonym; never a name."""
    names = _register(load_settings()).names()
    click.echo(json.dumps(names) if as_json else "\n".join(names))


@residents.command()
@click.argument("subject", metavar="PSEUDONYM|-")
@click.option("--why", required=True, help="who asked for it, and on what ground; it stands in the record")
@click.option("--receipt", type=click.Path(dir_okay=False, path_type=Path), help="write the receipt here")
def erase(subject: str, why: str, receipt: Path | None) -> None:
    """Erase somebody for good: their key is destroyed, so every copy of the register is unreadable for them.

    PSEUDONYM as `taishi residents list` or the desk shows it; `-` reads the identity from standard input.
    Figures of places stay as they are. The receipt is JSON, with the number and hash of its entry.
    """
    settings = load_settings()
    register = _register(settings)
    found = register.find(_name(subject, register))
    if found is None:
        raise SettingsError(f"resident: received {subject}, allowed: one of taishi residents list")
    each, row = found
    name = pseudonym(register.keys.keys, row["identity"])
    written_down(BEGUN, name, f"{each}; {why}", settings)
    register.vault.change((), {each})
    with opened(settings) as record:
        done = record.record(said(DONE, name, f"{each}; {why}"))
    text = json.dumps(_receipt(done), ensure_ascii=False, indent=1)
    if receipt is not None:
        receipt.write_text(text + "\n", "utf-8")
    click.echo(text)


def _name(subject: str, register: Residents) -> str:
    if subject == "-":
        return pseudonym(register.keys.keys, sys.stdin.readline().strip())
    if not PSEUDONYM.fullmatch(subject):
        raise SettingsError(f"subject: received {subject!r}, allowed: a pseudonym, or - for standard input")
    return subject


def _receipt(done: Entry) -> dict[str, Any]:
    record, _, why = done.said.detail.partition("; ")
    return {
        "subject": done.said.of,
        "record": record,
        "erased_at": local(done.said.at_ms).isoformat(timespec="seconds"),
        "by": done.said.who,
        "why": why,
        "how": "the only key of the record was destroyed; copies of the register hold it unreadable",
        "entry": {"number": done.number, "hash": done.hash},
    }


@residents.command()
def check() -> None:
    """Erase again what an interrupted erasure or a restored copy left; the desk does so at its start."""
    settings = load_settings()
    with opened(settings) as record:
        back = finish(record, vault_of(settings), said(DONE))
    count = len(_register(settings).names())
    click.echo(
        f"名册 {count} residents, 补删 erased again {len(back)}{': ' if back else ''}{', '.join(back)}"
    )
