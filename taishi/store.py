"""InfluxDB as the settings have it: where it is, its databases and policies, and how large they are."""

from __future__ import annotations

from dataclasses import replace

from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.errors import Refused, SettingsError
from schemas.store import RECORDED, Policy, policies, recorded_policy
from taishi.settings import Settings
from taishi.status.stored import sizes

__all__ = ["disk_bytes", "influx_settings", "policies_of", "recorded_settings"]


def policies_of(settings: Settings) -> tuple[Policy, ...]:
    """Every retention policy of this installation, the default one first."""
    return policies(settings.window_s, settings.influxdb_keep_days)


def influx_settings(settings: Settings) -> InfluxSettings:
    """What a client of this installation's InfluxDB must know."""
    return InfluxSettings(
        settings.influxdb_url,
        settings.influxdb_database,
        settings.influxdb_token,
        care_database=settings.influxdb_care_database,
        org=settings.influxdb_org,
        policies=policies_of(settings),
    )


def recorded_settings(settings: Settings) -> InfluxSettings:
    """The same for recordings: in a policy of their own, that keeps what is years old."""
    own = influx_settings(settings)
    return replace(own, policies=(*own.policies, recorded_policy()), windows_in=RECORDED)


def disk_bytes(store: InfluxDb) -> dict[str, int]:
    """Bytes on disk by bucket, also of those that are not ours; empty where InfluxDB does not tell us.

    A 2.x tells nobody, a 1.8 with users its administrator.

    httpx.HTTPError when it cannot be asked now.
    """
    try:
        return sizes(store.query("SHOW STATS FOR 'shard'"))
    except (Refused, SettingsError):
        return {}
