"""The desk's store for the command line: opened for a while, and what it knows of alerts put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sql

from operations.alerts.actions import Action
from operations.alerts.view import View, views
from operations.oncall.clock import now_ms
from operations.oncall.model import Tracked
from operations.oncall.store import Store
from schemas.alerts import Alert
from schemas.errors import SettingsError
from taishi.settings import Settings, load_settings

__all__ = ["first_acknowledged", "one", "opened", "seen"]

_CHUNK: Final = 500


@contextmanager
def opened() -> Iterator[Store]:
    """The desk's store."""
    store = Store(load_settings().operations_url)
    try:
        yield store
    finally:
        store.close()


def one(desk: Store, beginning: str) -> Tracked:
    """The only alert of the desk whose id begins so; SettingsError else."""
    found = desk.find(beginning) if beginning else []
    if len(found) != 1:
        raise SettingsError(
            f"alert: received {beginning!r}, which {len(found)} alerts of the desk begin with, allowed: one "
            "(the desk knows alerts while `taishi oncall serve` runs)"
        )
    return found[0]


def seen(alerts: Sequence[Alert], settings: Settings) -> list[View]:
    """Alerts with their states; without a desk, nobody did anything with them."""
    at_ms, actions, hidings = now_ms(), list[Action](), list[Action]()
    if _begun(settings.operations_url):
        with opened() as desk:
            ids = [alert.id for alert in alerts]
            for start in range(0, len(ids), _CHUNK):
                actions += desk.actions_on(ids[start : start + _CHUNK])
            hidings = desk.hidings(at_ms)
    return views(alerts, actions, hidings, at_ms)


def first_acknowledged(ids: Sequence[str], settings: Settings) -> dict[str, int]:
    """When a person first acknowledged each of these alerts (epoch ms); not those nobody did."""
    if not _begun(settings.operations_url):
        return {}
    desk, first = Store(settings.operations_url), dict[str, int]()
    try:
        for start in range(0, len(ids), _CHUNK):
            for action in desk.actions_on(ids[start : start + _CHUNK]):
                if action.kind == "acknowledge":
                    key = action.target.alert_id
                    first[key] = min(first.get(key, action.at_ms), action.at_ms)
    finally:
        desk.close()
    return first


def _begun(url: str) -> bool:
    """Whether there is a desk: looking at alerts does not begin one."""
    parsed = sql.make_url(url)
    return not parsed.drivername.startswith("sqlite") or Path(parsed.database or "").is_file()
