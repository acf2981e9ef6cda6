"""Tokens of an InfluxDB 2.x made by the administrator's, each in a file of its own.

InfluxDB tells a token once, when it is made, so one whose file is not there is of use to nobody: it is
deleted and made anew. A process that dies between any two lines leaves what the next run completes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from influxdb_client import Authorization, InfluxDBClient, Permission, PermissionResource
from influxdb_client.rest import ApiException

from pipelines.io.influxdb import InfluxSettings
from pipelines.io.influxdb_setup import organisation_id
from schemas.errors import SettingsError
from schemas.store import bucket
from taishi.secret_files import write_secret

__all__ = ["Token", "make_tokens", "tokens"]

_FILE = "taishi_influxdb_token"


@dataclass(frozen=True, slots=True)
class Token:
    """Who it is for, its file below the folder, and what it may read, and write."""

    purpose: str
    file: str
    databases: tuple[str, ...]
    writes: bool = False

    @property
    def description(self) -> str:
        """As InfluxDB lists it."""
        return f"taishi {self.purpose}"


def tokens(database: str, care_database: str) -> tuple[Token, ...]:
    """Who writes, who reads, and Grafana's two classes."""
    both = (database, care_database)
    return (
        Token("writer", f"writer/{_FILE}", both, writes=True),
        Token("reader", f"reader/{_FILE}", both),
        Token("grafana district", "grafana/influxdb_district", (database,)),
        Token("grafana care", "grafana/influxdb_care", (care_database,)),
    )


def make_tokens(settings: InfluxSettings, folder: Path, *, grafana_readable: bool = False) -> list[Token]:
    """Make those whose file is not there; returns them. What is there stays.

    `grafana_readable`: whoever may enter the folder may read Grafana's.

    Raises:
        SettingsError: it is no 2.x, care has no database of its own, the token may not make tokens, or the
            buckets are not there.
        urllib3.exceptions.HTTPError: InfluxDB cannot be asked now.
    """
    if not (settings.org and settings.care_database):
        raise SettingsError(
            f"influxdb_org: received {settings.org!r}, influxdb_care_database: {settings.care_database!r}, "
            "allowed: an organisation of a 2.x and a database of its own (a 1.8 has `taishi store users`)"
        )
    wanted = tokens(settings.database, settings.care_database)
    missing = [each for each in wanted if not (folder / each.file).is_file()]
    if not missing:
        return []
    names = {name: [bucket(name, policy.name) for policy in settings.policies] for name in settings.databases}
    with InfluxDBClient(
        settings.url, settings.token, org=settings.org, timeout=int(settings.timeout_s * 1000)
    ) as client:
        try:
            org_id = organisation_id(client, settings.org)
            for each in missing:
                buckets = [name for database in each.databases for name in names[database]]
                secret = _made_anew(client, org_id, each, buckets)
                readable = grafana_readable and each.purpose.startswith("grafana")
                write_secret(folder / each.file, secret, 0o644 if readable else 0o600)
        except ApiException as error:
            raise SettingsError(
                f"influxdb_token: InfluxDB at {settings.url} answers {error.status} {error.body}, allowed: "
                "one that may make tokens, the administrator's"
            ) from error
    return missing


def _made_anew(client: InfluxDBClient, org_id: str, token: Token, buckets: Sequence[str]) -> str:
    api = client.authorizations_api()
    for held in api.find_authorizations(org_id=org_id):
        if held.description == token.description:
            api.delete_authorization(held)
    permissions = list(_permissions(client, org_id, buckets, writes=token.writes))
    made = api.create_authorization(
        authorization=Authorization(org_id=org_id, description=token.description, permissions=permissions)
    )
    return str(made.token)


def _permissions(
    client: InfluxDBClient, org_id: str, buckets: Sequence[str], *, writes: bool
) -> Iterator[Permission]:
    """Its buckets, which bucket is which policy, and to who writes what the organisation is called."""
    yield Permission("read", PermissionResource(type="dbrp", org_id=org_id))
    if writes:
        yield Permission("read", PermissionResource(type="orgs", id=org_id))
    for name in buckets:
        found = client.buckets_api().find_bucket_by_name(name)
        if found is None:
            raise SettingsError(f"InfluxDB has no bucket {name}: make them first, `taishi store create`")
        for action in ("read", "write") if writes else ("read",):
            yield Permission(action, PermissionResource(type="buckets", org_id=org_id, id=found.id))
