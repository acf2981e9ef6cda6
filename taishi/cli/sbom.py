"""`taishi sbom`: the software bill of materials."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click

from deploy.embedded.fetch import ARTIFACTS
from schemas.errors import SettingsError
from taishi.sbom import bill, read_lock

__all__ = ["sbom"]

_LOCK: Final = Path(__file__).resolve().parents[2] / "requirements.lock"


@click.command()
@click.option(
    "--lock",
    type=click.Path(path_type=Path),
    default=_LOCK,
    help="the lock of what is installed; default: this checkout's requirements.lock",
)
def sbom(lock: Path) -> None:
    """软件物料清单。Print the software bill of materials: CycloneDX 1.6, JSON.

    Every package of the lock with its hashes and who needs it, and Kafka, InfluxDB and Prism. What only
    tests and tools need has the scope `excluded`. A package without a hash is an error, exit code 1.
    """
    try:
        text = lock.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--lock {lock}: {error}; allowed: what `make lock` writes") from error
    made = bill(read_lock(text), ARTIFACTS.values(), version("taishi"))
    click.echo(json.dumps(made, ensure_ascii=False, indent=1))
