"""`taishi doctor`: this machine and these settings, line by line."""

from __future__ import annotations

import dataclasses
import json
import sys

import click

from deploy.embedded.doctor import Finding, examine
from schemas.errors import SettingsError
from taishi.settings import load_settings
from taishi.stack_settings import stack_settings

__all__ = ["doctor"]

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@click.option("--offline", is_flag=True, help="count what would have to be fetched as a failure")
@click.option("--json", "as_json", is_flag=True, help="one JSON list of findings")
def doctor(offline: bool, as_json: bool) -> None:
    """检查本机与设置。Check this machine and these settings; exit 1 when something must be done."""
    findings = _findings(offline)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(_line(finding))
    sys.exit(any(finding.level == "fail" for finding in findings))


def _findings(offline: bool) -> list[Finding]:
    try:
        settings = load_settings()
    except SettingsError as error:
        return [Finding("settings", "fail", str(error), "correct the named settings")]
    return [Finding("settings", "ok", "read and checked"), *examine(stack_settings(settings), offline)]


def _line(finding: Finding) -> str:
    mark = click.style(f"{finding.level:<4}", fg=_COLOURS[finding.level])
    advice = f" → {finding.advice}" if finding.advice else ""
    return f"{mark}  {finding.check:<24} {finding.found}{advice}"
