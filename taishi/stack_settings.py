"""From the installation's settings to what the embedded stack must know."""

from __future__ import annotations

import json

from deploy.embedded.settings import StackSettings
from taishi.settings import Settings

__all__ = ["environment_of", "stack_settings"]


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, so that child processes see exactly these, file or not."""
    return {
        f"TAISHI_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.model_dump(mode="json").items()
        if value is not None
    }


def stack_settings(settings: Settings) -> StackSettings:
    """Places, ports and addresses for `deploy.embedded`."""
    names = (
        *("cache", "kafka_port", "kafka_controller_port", "kafka_address", "influxdb_port"),
        *("influxdb_address", "mqtt_port", "mqtt_address", "http_host", "http_port"),
        *("prism_aggregate_port", "prism_situation_port", "prism_signals_port", "prism_presence_port"),
        *("prism_watch_port", "metrics_port"),
        *("tcp_port", "doors", "oncall_file", "outgoing", "outgoing_port", "pages", "pages_port"),
        *("desk", "desk_port", "log_keep_days", "log_limit_mib"),
    )
    return StackSettings(
        home=settings.home.absolute(),
        environment=environment_of(settings),
        **{name: getattr(settings, name) for name in names},
    )
