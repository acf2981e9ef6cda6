"""`taishi people`: who may sign in at the desk, as what, for which places."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from operations.people.passwords import Passwords, refuse_weak
from operations.people.roles import GRANTS, ROLE_WORDS, ROLES, Person, checked_roles
from operations.people.second_factor import new_secret, uri
from operations.store.badges import BADGE_KINDS, BadgeKind
from operations.store.people import Credentials, PeopleRows
from schemas.errors import SettingsError
from taishi.people import checked_places, opened, said
from taishi.settings import load_settings

__all__ = ["people"]

_ROLES: Final = click.Choice(ROLES)


@dataclass(frozen=True, slots=True)
class _Given:
    """What options say of a person; empty: not said."""

    name: str
    roles: tuple[str, ...]
    places: tuple[str, ...]
    department: str


@click.group()
def people() -> None:
    """用户与权限。Who may sign in at the desk, as what, for which places. `taishi audit` has every change."""


def _options(command: Any) -> Any:
    for option in (
        click.option("--department", default="", help="of a role that belongs to one: 城管局"),
        click.option(
            "--place", "places", multiple=True, metavar="CODE", help="they answer for; may be repeated"
        ),
        click.option("--role", "roles", multiple=True, type=_ROLES, help="may be repeated"),
        click.option("--name", default="", help="as others see it: 王值班"),
    ):
        command = option(command)
    return command


@people.command()
@click.argument("identity", metavar="ID")
@_options
@click.option(
    "--password-stdin", is_flag=True, help="read the password from standard input, not from the keyboard"
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def add(identity: str, *, password_stdin: bool, as_json: bool, **given: Any) -> None:
    """Enter somebody who may sign in as ID, and print the secret of their second factor, once.

    \b
    taishi people add wang --name 王值班 --role operator
    taishi people add li --name 李书记 --role community --place 370202001001
    """  # noqa: D301 - \b is click's mark for lines that stay lines
    said_of = _Given(**given)
    if not identity.strip() or len(identity) > 100 or identity != identity.strip():
        raise SettingsError(f"ID: received {identity!r}, allowed: 1 to 100 characters without blanks around")
    person = Person(
        id=identity,
        name=said_of.name or identity,
        roles=checked_roles(said_of.roles),
        places=checked_places(said_of.places, load_settings()),
        department=said_of.department,
    )
    password, secret = _new_password(password_stdin, person), new_secret()
    with opened() as store:
        detail = f"roles {' '.join(person.roles)}; places {' '.join(person.places)}"
        known_by = Credentials(Passwords().hashed(password), secret)
        store.add_person(person, known_by, said("people.add", identity, detail))
    _tell_secret(identity, secret, as_json=as_json)


@people.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="one JSON array")
def list_(*, as_json: bool) -> None:
    """Everybody who may sign in."""
    with opened() as store:
        found = store.people()
    if as_json:
        click.echo(json.dumps([_facts(each) for each in found], ensure_ascii=False))
        return
    if not found:
        click.echo("尚无用户 nobody yet: taishi people add ID --role administrator")
        return
    table = Table(
        "用户 id", "姓名 name", "角色 roles", "负责区域 places", "部门 department", "状态 state", box=None
    )
    for each in found:
        roles = "、".join(f"{ROLE_WORDS[role]} {role}" for role in each.roles)
        state = "[red]停用 disabled[/]" if each.disabled else "在用 in use"
        table.add_row(
            escape(each.id), escape(each.name), roles, " ".join(each.places), escape(each.department), state
        )
    Console().print(table)


@people.command()
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def roles(*, as_json: bool) -> None:
    """What each role may do."""
    if as_json:
        click.echo(json.dumps({role: sorted(grant) for role, grant in GRANTS.items()}))
        return
    for role, grant in GRANTS.items():
        click.echo(f"{ROLE_WORDS[role]} {role}\n    {', '.join(sorted(grant))}")


@people.command()
@click.argument("identity", metavar="ID")
@_options
def change(identity: str, **given: Any) -> None:
    """Change what is named; the rest stays."""
    wanted = _Given(**given)
    with opened() as store:
        person = _known(store, identity)
        new = msgspec.structs.replace(
            person,
            name=wanted.name or person.name,
            roles=checked_roles(wanted.roles) if wanted.roles else person.roles,
            places=checked_places(wanted.places, load_settings()) if wanted.places else person.places,
            department=wanted.department or person.department,
        )
        if new == person:
            raise click.UsageError("nothing to change: name --name, --role, --place or --department")
        store.change_person(new, said("people.change", identity, _difference(person, new)))


@people.command()
@click.argument("identity", metavar="ID")
def disable(identity: str) -> None:
    """Let somebody in no more, and sign them out everywhere. Nobody is deleted: the record names them."""
    _switch(identity, disabled=True)


@people.command()
@click.argument("identity", metavar="ID")
def enable(identity: str) -> None:
    """Let somebody in again."""
    _switch(identity, disabled=False)


@people.command()
@click.argument("identity", metavar="ID")
@click.option("--password-stdin", is_flag=True, help="read it from standard input, not from the keyboard")
def password(identity: str, *, password_stdin: bool) -> None:
    """Give somebody a new password; they are signed out everywhere."""
    with opened() as store:
        hashed = Passwords().hashed(_new_password(password_stdin, _known(store, identity)))
        store.change_password(identity, hashed, said("people.password", identity))


@people.command()
@click.argument("identity", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def second_factor(identity: str, *, as_json: bool) -> None:
    """Give somebody a new second factor, after a lost phone; they are signed out everywhere."""
    secret = new_secret()
    with opened() as store:
        store.change_second_factor(identity, secret, said("people.second_factor", identity))
    _tell_secret(identity, secret, as_json=as_json)


@people.command()
@click.argument("identity", metavar="ID")
@click.option("--kind", type=click.Choice(BADGE_KINDS), default="badge", show_default=True)
@click.option("--stdin", "from_stdin", is_flag=True, help="read it from standard input, not from the reader")
@click.option("--remove", is_flag=True, help="take it away")
def badge(identity: str, *, kind: BadgeKind, from_stdin: bool, remove: bool) -> None:
    """Give somebody a badge or a PIN for touch screens, in place of the one before."""
    with opened() as store:
        if remove:
            if not store.drop_badge(
                _known(store, identity).id, kind, said(f"people.{kind}_removed", identity)
            ):
                raise SettingsError(f"{kind}: received {identity!r}, who has none")
            return
        ask = "刷卡 badge" if kind == "badge" else "PIN"
        given = sys.stdin.readline().strip() if from_stdin else click.prompt(ask, hide_input=True, err=True)
        store.set_badge(identity, kind, given, said(f"people.{kind}", identity))


def _known(store: PeopleRows, identity: str) -> Person:
    person = store.person(identity)
    if person is None:
        raise SettingsError(f"person: received {identity!r}, allowed: one of taishi people list")
    return person


def _switch(identity: str, *, disabled: bool) -> None:
    what = "people.disable" if disabled else "people.enable"
    with opened() as store:
        person = msgspec.structs.replace(_known(store, identity), disabled=disabled)
        store.change_person(person, said(what, identity))


def _new_password(from_stdin: bool, person: Person) -> str:
    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    else:
        given = click.prompt("密码 password", hide_input=True, confirmation_prompt="再输一次 again", err=True)
    refuse_weak(given, person.id, person.name)
    return given


def _tell_secret(identity: str, secret: str, *, as_json: bool) -> None:
    told = {"id": identity, "totp_secret": secret, "totp_uri": uri(secret, identity)}
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(
        f"{identity}: 请在验证器中添加 add this to an authenticator; it is not shown again\n"
        f"  {told['totp_uri']}\n  密钥 secret: {secret}"
    )


def _facts(person: Person) -> dict[str, Any]:
    return msgspec.structs.asdict(person)


def _difference(before: Person, after: Person) -> str:
    old, new = _facts(before), _facts(after)
    return "; ".join(f"{key}: {_told(old[key])} -> {_told(new[key])}" for key in new if new[key] != old[key])


def _told(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)
