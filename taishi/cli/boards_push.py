"""`taishi boards push`: put the boards into a running Grafana."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from dashboards.push import Change
from dashboards.render import files
from schemas.errors import SettingsError
from taishi.boards import boards_of
from taishi.grafana.client import Grafana, GrafanaSettings
from taishi.grafana.push import FOLDER, Plan, plan
from taishi.grafana.push import push as do_push
from taishi.settings import Settings, load_settings

__all__ = ["push"]

_SHOWN_LINES = 40


@click.command()
@click.option("--address", default=None, metavar="URL", help="Default: grafana_address (settings).")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="File that holds the token. Default: grafana_token (settings).",
)
@click.option("--folder", default=FOLDER, show_default=True, metavar="UID", help="Made if it is not there.")
@click.option("--message", default="taishi boards push", show_default=True, help="Note of the versions.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Change nothing; exit code 1 on a conflict.",
)
@click.option("--diff", "with_diff", is_flag=True, help="Show each change, as `diff -u` does.")
@click.option("--overwrite", is_flag=True, help="Replace boards also where somebody else changed them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def push(  # noqa: PLR0913 - one parameter an option
    *,
    address: str | None,
    token_file: Path | None,
    folder: str,
    message: str,
    dry_run: bool,
    with_diff: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Put the boards of this installation into a running Grafana, through its HTTP API.

    Boards that say the same already are left. A board that somebody changed there is not replaced, and then
    nothing is: look with --dry-run --diff, then carry the change over or --overwrite.

    \b
    taishi boards push --dry-run --diff
    taishi boards push --message "new limits of parking"
    """  # noqa: D301 - \b is click's mark for lines that stay lines  # fmt: skip
    settings = load_settings()
    models = [json.loads(text) for text in files(boards_of(settings)).values()]
    with closing(Grafana(_grafana_settings(settings, address, token_file))) as grafana:
        planned = plan(grafana, models, folder)
        if not as_json:
            _tell(planned, with_diff=with_diff)
        saved = {} if dry_run else do_push(grafana, planned, message, folder, overwrite=overwrite)
    if as_json:
        click.echo(json.dumps(_document(planned, saved, with_diff=with_diff), ensure_ascii=False, indent=2))
    elif not dry_run:
        click.echo(f"{len(saved)} of {len(models)} boards pushed to Grafana {planned.release}")
    if dry_run and planned.conflicts and not overwrite:
        raise SystemExit(1)


def _grafana_settings(settings: Settings, address: str | None, token_file: Path | None) -> GrafanaSettings:
    token = settings.grafana_token
    if token_file is not None:
        try:
            token = token_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"--token-file {token_file}: {error}") from error
    return GrafanaSettings(address or settings.grafana_address, token, settings.grafana_ca_file)


def _tell(planned: Plan, *, with_diff: bool) -> None:
    if planned.makes_folder:
        click.echo("new       folder")
    for change in planned.changes:
        size = f"{_lines(change)} lines" if change.diff else ""
        click.echo(f"{change.kind:<9} {change.uid:<20} {change.title}  {size}".rstrip())
        if change.why:
            click.echo(f"          {change.why}", err=True)
        if with_diff:
            for line in change.diff[:_SHOWN_LINES]:
                click.echo(f"    {line}")
            if len(change.diff) > _SHOWN_LINES:
                click.echo(f"    … {len(change.diff) - _SHOWN_LINES} lines more (--json has all)")


def _lines(change: Change) -> int:
    return sum(line[:1] in "+-" and line[:3] not in ("+++", "---") for line in change.diff)


def _document(planned: Plan, saved: dict[str, int], *, with_diff: bool) -> dict[str, Any]:
    boards = [
        {"uid": each.uid, "title": each.title, "change": each.kind}
        | ({"why": each.why} if each.why else {})
        | ({"version": saved[each.uid]} if each.uid in saved else {})
        | ({"diff": list(each.diff)} if with_diff else {})
        for each in planned.changes
    ]
    return {"grafana": planned.release, "makes_folder": planned.makes_folder, "boards": boards}
