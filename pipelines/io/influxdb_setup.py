"""Databases and their retention policies, made and corrected: 1.8 by InfluxQL, 2.x as buckets.

What was there before stays, with its data: a policy is created, or its durations are changed, none is
dropped. Every step is one that may be done again, so a process that dies in the middle, or two that do it
at once, leave what the next start completes. Where all is as it shall be, nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import urllib3
from influxdb_client import BucketRetentionRules, DBRPCreate, DBRPsService, DBRPUpdate, InfluxDBClient
from influxdb_client.rest import ApiException

from schemas.errors import Refused, SettingsError
from schemas.store import DEFAULT_POLICY, Policy, bucket

__all__ = ["make_buckets", "organisation_id", "statements"]

_UNITS_S: Final = {"h": 3600, "m": 60, "s": 1}
_DAY_S: Final = 86_400


def statements(database: str, held: Sequence[Mapping[str, object]], wanted: Iterable[Policy]) -> list[str]:
    """InfluxQL that brings a database of 1.8 to `wanted`, the default policy first.

    `held` are the rows of SHOW RETENTION POLICIES; none, where there is no database.
    """
    known = {str(row["name"]): row for row in held}
    made = []
    for policy in wanted:
        default = " DEFAULT" if policy.name == DEFAULT_POLICY else ""
        lengths = f"DURATION {policy.keep_s}s REPLICATION 1 SHARD DURATION {policy.shard_s}s"
        row = known.get(policy.name)
        if row is None and default and not known:
            made.append(f'CREATE DATABASE "{database}" WITH {lengths} NAME "{policy.name}"')
        elif row is None:
            made.append(f'CREATE RETENTION POLICY "{policy.name}" ON "{database}" {lengths}{default}')
        elif not _is_so(row, policy):
            made.append(f'ALTER RETENTION POLICY "{policy.name}" ON "{database}" {lengths}{default}')
    return made


def _is_so(row: Mapping[str, object], policy: Policy) -> bool:
    lengths = (_seconds(str(row["duration"])), _seconds(str(row["shardGroupDuration"])))
    is_default = bool(row["default"]) or policy.name != DEFAULT_POLICY
    return lengths == (policy.keep_s, policy.shard_s) and is_default


def _seconds(text: str) -> int:
    """`168h0m0s` -> 604800."""
    return sum(int(count) * _UNITS_S[unit] for count, unit in re.findall(r"(\d+)([hms])", text))


def make_buckets(client: InfluxDBClient, org: str, database: str, wanted: Sequence[Policy]) -> None:
    """Bring an InfluxDB 2.x to `wanted`: a bucket `database/policy` each, and which of them is the default.

    By its name a bucket is found as database and policy by itself; only the default is said. Refused when 2.x
    cannot be asked now; SettingsError, which names the bucket, when the token may not make it.
    """
    try:
        org_id = organisation_id(client, org)
        for policy in wanted:
            _make(client, org_id, database, policy)
        _make_default(client, org_id, database)
    except ApiException as error:
        if error.status in {401, 403}:
            raise SettingsError(_not_allowed(database, wanted)) from error
        raise Refused(f"InfluxDB 2.x, buckets of {database}: {error.status} {error.body}") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Refused(f"InfluxDB 2.x does not answer: {type(error).__name__}") from error


def organisation_id(client: InfluxDBClient, org: str) -> str:
    """Of the organisation of that name; SettingsError where there is none, ApiException as of the client."""
    try:
        (found,) = client.organizations_api().find_organizations(org=org)
    except ApiException as error:
        if error.status != 404:
            raise
        raise SettingsError(
            f"influxdb_org: received {org!r}, allowed: an organisation that this InfluxDB knows"
        ) from error
    return str(found.id)


def _make(client: InfluxDBClient, org_id: str, database: str, policy: Policy) -> None:
    buckets, name = client.buckets_api(), bucket(database, policy.name)
    rules = BucketRetentionRules(
        type="expire", every_seconds=policy.keep_s, shard_group_duration_seconds=policy.shard_s
    )
    held = buckets.find_bucket_by_name(name)
    if held is None:
        buckets.create_bucket(bucket_name=name, org=org_id, retention_rules=rules)
    elif held.retention_rules != [rules]:
        held.retention_rules = [rules]
        buckets.update_bucket(held)


def _make_default(client: InfluxDBClient, org_id: str, database: str) -> None:
    """What is asked without a policy is minutes."""
    mappings = DBRPsService(client.api_client)
    home = client.buckets_api().find_bucket_by_name(bucket(database, DEFAULT_POLICY))
    found = mappings.get_dbr_ps(org_id=org_id, db=database, bucket_id=home.id).content
    said = [each for each in found if not each.virtual]
    if not said:
        mappings.post_dbrp(
            DBRPCreate(
                bucket_id=home.id,
                database=database,
                retention_policy=DEFAULT_POLICY,
                default=True,
                org_id=org_id,
            )
        )
    elif not any(each.default for each in said):
        mappings.patch_dbrpid(said[0].id, DBRPUpdate(default=True), org_id=org_id)


def _not_allowed(database: str, wanted: Sequence[Policy]) -> str:
    listed = ", ".join(f"{bucket(database, each.name)} ({each.keep_s / _DAY_S:g} d)" for each in wanted)
    return f"influxdb_token: it may not make buckets; make them, or give a token that may: {listed}"
