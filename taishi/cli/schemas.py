"""`taishi schemas`: write the generated documents, or check that they say what the code says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import click

from schemas.generate import documents
from taishi.reference import pages

__all__ = ["generated_files", "schemas"]

_ROOT: Final = Path(__file__).resolve().parents[2]


def generated_files() -> dict[Path, str]:
    """Every generated file of the tree, by its path below the root, with the text it must hold."""
    texts = {
        Path("schemas/generated") / name: json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        for name, document in documents().items()
    }
    return texts | {Path("docs/reference") / name: text for name, text in pages().items()}


@click.group()
def schemas() -> None:
    """JSON Schemas of what travels, the AsyncAPI document of the topics, the reference pages."""


_into = click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=_ROOT,
    show_default="the source tree",
    help="root below which schemas/generated and docs/reference lie",
)


@schemas.command()
@_into
def write(into: Path) -> None:
    """Write every document; those that already say the same are left alone."""
    for name, state in _states(into).items():
        if state == "fresh":
            continue
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(generated_files()[name], encoding="utf-8")
        click.echo(f"written {name}")


@schemas.command()
@_into
@click.option("--json", "as_json", is_flag=True, help="one object: path -> fresh | stale | missing | unknown")
def check(into: Path, as_json: bool) -> None:
    """Exit 1 if a document is missing, stale, or of no origin in the code."""
    states = {str(name): state for name, state in _states(into).items()}
    wrong = {name: state for name, state in states.items() if state != "fresh"}
    if as_json:
        click.echo(json.dumps(states, indent=2))
    else:
        for name, state in wrong.items():
            click.echo(f"{state}: {name}", err=True)
        click.echo(f"{len(states) - len(wrong)} of {len(states)} generated files are fresh")
    if wrong:
        click.echo("run `taishi schemas write`", err=True)
        sys.exit(1)


def _states(root: Path) -> dict[Path, str]:
    """State of every file that should be there, and of every one that should not."""
    expected = generated_files()
    found = {
        path.relative_to(root)
        for folder in ("schemas/generated", "docs/reference")
        for path in (root / folder).rglob("*")
        if path.is_file()
    }
    states = {name: _state(root / name, text) for name, text in expected.items()}
    return states | dict.fromkeys(sorted(found - set(expected)), "unknown")


def _state(path: Path, text: str) -> str:
    if not path.is_file():
        return "missing"
    return "fresh" if path.read_text(encoding="utf-8") == text else "stale"
