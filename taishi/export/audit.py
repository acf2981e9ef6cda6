"""Who took what out of the district: in the desk's audit, where each entry holds the hash of the one before.

An export is two entries: `export.begin` before a byte is written, `export.write` (or `export.fail`) after.
A first one without its second says that the export was killed, and which file it may have left.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import sqlalchemy

from schemas.calendar import local
from schemas.errors import SettingsError
from taishi.people import opened, said
from taishi.settings import Settings

__all__ = ["Audit"]

_BEGIN, _WRITE, _FAIL = "export.begin", "export.write", "export.fail"
_RESULTS: Final = {_WRITE: "written", _FAIL: "failed"}
_NEWEST: Final = 10_000


class Audit:
    """Entries of one installation's exports; SettingsError where none can be made."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def begin(self, export_id: str, **asked: Any) -> None:
        """What is about to be taken; recorded when this returns."""
        self._record(_BEGIN, export_id, asked)

    def written(self, export_id: str, **facts: Any) -> None:
        """The file is in its place."""
        self._record(_WRITE, export_id, facts)

    def failed(self, export_id: str, why: str) -> None:
        """There is no file of it."""
        self._record(_FAIL, export_id, {"why": why})

    def exports(self) -> list[dict[str, Any]]:
        """The newest exports, the oldest first: `at`, `by`, `result`, what was asked, what became of it."""
        found: dict[str, dict[str, Any]] = {}
        with opened(self._settings) as store:
            entries = [entry.said for entry in reversed(store.newest(_NEWEST, what="export."))]
        for entry in entries:
            facts = _facts(entry.detail)
            if entry.what == _BEGIN:
                at = local(entry.at_ms).isoformat(timespec="seconds")
                found[entry.of] = {
                    "export_id": entry.of,
                    "at": at,
                    "by": entry.who,
                    "result": "killed",
                    **facts,
                }
            elif entry.of in found:
                found[entry.of] |= {"result": _RESULTS[entry.what], **facts}
        return list(found.values())

    def _record(self, what: str, export_id: str, facts: dict[str, Any]) -> None:
        try:
            with opened(self._settings) as store:
                store.record(said(what, export_id, msgspec.json.encode(facts).decode()))
        except (OSError, sqlalchemy.exc.SQLAlchemyError) as error:
            raise SettingsError(
                f"audit of exports: {error}; nothing is exported that is not written down"
            ) from error


def _facts(detail: str) -> dict[str, Any]:
    """What an entry says; of one that was too long for its column, only its beginning."""
    try:
        return msgspec.json.decode(detail, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"detail": detail}
