"""The case desk for the command line: opened for a while, who speaks, and where something is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from operations.cases.codes import ROLES, Role
from operations.cases.config import CaseConfig, load_config
from operations.cases.model import Actor
from operations.oncall.clock import now_ms
from operations.store.casebook import CaseBook
from schemas.errors import SettingsError, received_allowed
from taishi.alerts.read import read_alerts
from taishi.kafka import kafka_of
from taishi.places import load_registry
from taishi.settings import Settings, load_settings

__all__ = ["actor", "config", "grid_at", "know_alert", "one", "opened"]


def config(settings: Settings | None = None) -> CaseConfig:
    """What the city sets for its cases."""
    settings = settings or load_settings()
    return load_config(settings.cases_file, settings.workflows_folder)


@contextmanager
def opened() -> Iterator[CaseBook]:
    """The case desk, begun if there is none."""
    settings = load_settings()
    if not settings.operations_database:
        (settings.home / "data").mkdir(parents=True, exist_ok=True)
    book = CaseBook(settings.operations_url, config(settings))
    try:
        yield book
    finally:
        book.close()


def one(book: CaseBook, beginning: str) -> str:
    """The id of the only case that begins or ends so; SettingsError else."""
    found = book.find_cases(beginning) if beginning else []
    if len(found) != 1:
        raise SettingsError(
            f"case: received {beginning!r}, which {len(found)} cases begin with, allowed: one"
        )
    return found[0]


def actor(by: str, roles: Sequence[str], department: str = "", places: Sequence[str] = ()) -> Actor:
    """Who speaks at the command line, in the roles they name."""
    known: tuple[Role, ...] = tuple(role for role in ROLES if role in roles)
    return Actor(
        name=by.strip(), roles=known, department=department, places=tuple(places), terminal="command line"
    )


def know_alert(book: CaseBook, beginning: str) -> None:
    """Have the desk know an alert that it does not, from the log: it reads the log only while it serves."""
    if not book.find(beginning):
        alerts = read_alerts(kafka_of(load_settings()))
        book.know([alert for alert in alerts if alert.id.startswith(beginning)], now_ms())


def grid_at(place: str, at: str) -> tuple[str, float | None, float | None]:
    """(code, longitude, latitude) of where a report is; SettingsError for what is no place here."""
    registry = load_registry(load_settings())
    if not at:
        if registry.place(place) is None:
            examples = [each.code for each in registry.at("street")[:3]]
            raise SettingsError(received_allowed("place", place, [*examples, "… (taishi places list)"]))
        return place, None, None
    try:
        lon, lat = (float(part) for part in at.split(","))
    except ValueError:
        raise SettingsError(f"--at: received {at!r}, allowed: LONGITUDE,LATITUDE (WGS-84)") from None
    code = registry.locate(lon, lat)
    if code is None or (place and not code.startswith(place)):
        where = f"in no grid of {place or 'the district'}"
        raise SettingsError(f"--at: received {at!r}, which is {where}, allowed: LONGITUDE,LATITUDE (WGS-84)")
    return code, lon, lat
