"""`taishi keys`: the keys of pseudonyms and seals."""

from __future__ import annotations

import json

import click

from connectors.privacy.keys import create_keys, forget_key, read_keys, rotate_keys
from connectors.privacy.pseudonyms import pseudonyms
from taishi.keys import key_file
from taishi.people import written_down
from taishi.settings import load_settings

__all__ = ["keys"]


@click.group()
def keys() -> None:
    """假名与封存的密钥。Keys of pseudonyms and seals: without them the data names nobody.

    Keep the file (keys_file) apart from the data and from its backups.
    """


@keys.command()
def create() -> None:
    """Make the file with a first key; one that is there is left as it is."""
    path = key_file(load_settings())
    create_keys(path)
    click.echo(f"{path}: key {read_keys(path).newest}")


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="a JSON object")
def list_(*, as_json: bool) -> None:
    """List the versions; never a key."""
    path = key_file(load_settings())
    held = read_keys(path)
    if as_json:
        click.echo(json.dumps({"file": str(path), "versions": sorted(held.versions), "newest": held.newest}))
        return
    for version in sorted(held.versions):
        click.echo(f"{version}  {'使用中 makes and reads' if version == held.newest else '只读 reads'}")


@keys.command()
def rotate() -> None:
    """Add a newer key, which makes from now on; running doors take it within seconds.

    People get new pseudonyms; the older keys still open what was sealed and find registered pseudonyms.
    """
    path = key_file(load_settings())
    read_keys(path)
    written_down("keys.rotate")
    click.echo(f"{path}: key {rotate_keys(path)} makes from now on")


@keys.command()
@click.argument("version", type=int)
@click.confirmation_option(prompt="What was sealed under it can never be read again. Forget it?")
def forget(version: int) -> None:
    """Take an older key out for good: what it sealed is unreadable from then on, in every backup too."""
    path = key_file(load_settings())
    read_keys(path)
    written_down("keys.forget", str(version))
    forget_key(path, version)
    click.echo(f"{path}: key {version} is gone")


@keys.command()
@click.argument("identity")
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def pseudonym(identity: str, *, as_json: bool) -> None:
    """Print the pseudonyms of IDENTITY as its format writes it (such as Patient/123), newest first.

    Register people by these, so that the registry names nobody either. The audit has which one was asked for.
    """
    names = pseudonyms(read_keys(key_file(load_settings())), identity)
    written_down("keys.pseudonym", names[0])
    click.echo(json.dumps(names) if as_json else "\n".join(names))
