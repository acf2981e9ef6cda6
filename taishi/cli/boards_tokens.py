"""`taishi boards tokens`: how the credentials of Grafana's data sources are made."""

from __future__ import annotations

import click

from taishi.grafana.tokens import commands
from taishi.settings import load_settings
from taishi.store import policies_of

__all__ = ["tokens"]


@click.command()
def tokens() -> None:
    """Say how the read-only tokens (InfluxDB 2.x) or users (1.8) of Grafana are made; makes nothing itself.

    One for the district and one for care, so that a board's viewer cannot ask for what the class is not for.
    Keep each in a file of its own (deploy/compose/grafana).
    """
    settings = load_settings()
    names = [policy.name for policy in policies_of(settings)]
    databases = (settings.influxdb_database, settings.influxdb_care_database)
    for line in commands(*databases, names, settings.influxdb_org):
        click.echo(line)
