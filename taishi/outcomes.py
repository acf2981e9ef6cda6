"""What people at the desk concluded of alerts, by the vendor of the device."""

from __future__ import annotations

from connectors.registry import DeviceRegistry
from connectors.scorecard import vendor_of
from operations.store.alerts import AlertRows
from taishi.devices import devices_path
from taishi.settings import Settings
from taishi.status.outcomes import OutcomeScore, outcome_scores

__all__ = ["vendor_outcomes"]


def vendor_outcomes(settings: Settings, from_ms: int, until_ms: int) -> list[OutcomeScore]:
    """Scores of what was concluded of alerts that began in that time; none where no desk ever ran."""
    if not settings.operations_database and not (settings.home / "data" / "operations.db").exists():
        return []
    store = AlertRows(settings.operations_url)
    try:
        concluded = [(alert.device, outcome) for alert, outcome in store.concluded(from_ms, until_ms)]
    finally:
        store.close()
    path = devices_path(settings)
    devices = DeviceRegistry(path) if path.exists() else ()
    return outcome_scores(concluded, {each.device: vendor_of(each) for each in devices})
