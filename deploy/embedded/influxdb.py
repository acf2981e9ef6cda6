"""InfluxDB 1.8: its configuration and its command."""

from __future__ import annotations

from deploy.embedded.fetch import INFLUXD, folder_of
from deploy.embedded.parts import Health, Part
from deploy.embedded.settings import StackSettings

__all__ = ["configuration", "part", "write_configuration"]


def part(settings: StackSettings) -> Part:
    """The server; its databases are made by `apps.store`."""
    program = folder_of(INFLUXD, settings.cache) / "influxd"
    return Part(
        name="influxdb",
        command=(str(program), "run", "-config", str(settings.data / "influxdb.conf")),
        log="influxdb",
        health=Health("http", settings.influxdb_port, "/ping"),
        ports={"influxdb_port": settings.influxdb_port},
        environment={"INFLUXDB_CONFIG_PATH": "", "GOMEMLIMIT": "512MiB"},
    )


def configuration(settings: StackSettings, *, users: bool = False) -> str:
    """influxdb.conf: loopback only, nothing reported home, every write synced before it is confirmed.

    `users`: who asks must be one (`taishi store users`).
    """
    data = settings.data / "influxdb"
    return f"""\
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "{data}/meta"
  logging-enabled = false
[data]
  dir = "{data}/data"
  wal-dir = "{data}/wal"
  index-version = "tsi1"
  wal-fsync-delay = "0s"
  query-log-enabled = false
  cache-max-memory-size = "256m"
  max-concurrent-compactions = 1
[monitor]
  store-enabled = false
[retention]
  enabled = true
[subscriber]
  enabled = false
[http]
  enabled = true
  bind-address = "127.0.0.1:{settings.influxdb_port}"
  auth-enabled = {str(users).lower()}
  log-enabled = false
  suppress-write-log = true
  flux-enabled = false
  pprof-enabled = false
[logging]
  format = "logfmt"
  level = "warn"
  suppress-logo = true
[continuous_queries]
  enabled = false
"""


def write_configuration(settings: StackSettings) -> None:
    """Write influxdb.conf where the command reads it."""
    settings.data.mkdir(parents=True, exist_ok=True)
    (settings.data / "influxdb.conf").write_text(configuration(settings))
