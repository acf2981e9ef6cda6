"""People of the desk for the command line: the store opened for a while, and who is speaking."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from operations.oncall.clock import now_ms
from operations.people.audit import Said
from operations.store.badges import BadgeRows
from schemas.errors import SettingsError, received_allowed
from taishi.places import load_registry
from taishi.settings import Settings, load_settings

__all__ = ["checked_places", "opened", "said", "written_down"]


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[BadgeRows]:
    """The desk's store, begun if there is none."""
    settings = settings or load_settings()
    if not settings.operations_database:
        (settings.home / "data").mkdir(parents=True, exist_ok=True)
    store = BadgeRows(settings.operations_url)
    try:
        yield store
    finally:
        store.close()


def said(what: str, of: str = "", detail: str = "") -> Said:
    """That whoever is signed in to this machine did it, now, at the command line."""
    at_ms = now_ms()
    return Said(at_ms=at_ms, who=getpass.getuser(), terminal="cli", what=what, of=of, detail=detail)


def written_down(what: str, of: str = "", detail: str = "", settings: Settings | None = None) -> None:
    """Record an act before it is done; SettingsError where that cannot be, and then it is not done."""
    try:
        with opened(settings) as store:
            store.record(said(what, of, detail))
    except (OSError, SQLAlchemyError) as error:
        words = "审计不可用 operations_database takes nothing, and nothing is done that is not written down"
        raise SettingsError(f"{what}: {words}: {error}") from error


def checked_places(codes: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """The codes, if each is a place's; none: the whole district. SettingsError names one that is none."""
    registry = load_registry(settings)
    for code in codes:
        if registry.place(code) is None:
            examples = [place.code for place in registry.at("street")[:3]]
            allowed = [settings.district, *examples, "… (taishi places list)"]
            raise SettingsError(received_allowed("place", code, allowed))
    return tuple(dict.fromkeys(codes)) or (settings.district,)
