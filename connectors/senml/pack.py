"""Resolving a SenML pack: base values applied, times made absolute (RFC 8428, sections 4.1 to 4.6).

Pure: what "now" is, is passed in. A base field that cannot be read, a version above ours or a label that
must be understood refuses the whole pack; a record's own field refuses that record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from connectors.base import ITEMS_MAX, Rejected
from connectors.fields import LATEST_MS, Unreadable, as_list, as_number, as_object, as_text, reads, whole
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["Record", "resolve"]

_VERSION: Final = 10
_RELATIVE_BELOW_S: Final = 2**28
"""A smaller time is seconds from now, a larger one seconds since 1970 (section 4.5.3)."""

_VALUES: Final = ("v", "vb", "vs", "vd")
_REGULAR: Final = {"n", "u", "t", "ut", "s", *_VALUES}


@dataclass(frozen=True, slots=True)
class Record:
    """One resolved record. `value` is a number, a flag, or None for text, data and a sum alone.

    `unit` is SenML's, "" without one; `at_ms` is since 1970 UTC.
    """

    index: int
    name: str
    unit: str
    value: float | bool | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class _Base:
    name: str = ""
    time_s: float = 0.0
    unit: str = ""
    value: float | None = None


def resolve(pack: object, now_ms: int | None) -> list[Record | Rejected]:
    """The records in the pack's order; `now_ms` None: nothing may be relative to now (`bad_time`)."""
    if isinstance(pack, dict) and "e" in pack:
        detail = 'received the object with "e" of the drafts before RFC 8428, allowed: an array of records'
        raise Unreadable(Reason.UNSUPPORTED, detail)
    records = as_list(pack, "pack")
    if len(records) > ITEMS_MAX:
        raise Unreadable(Reason.OVERSIZE, f"received {len(records)} records, allowed: at most {ITEMS_MAX}")
    base = _Base()
    resolved: list[Record | Rejected] = []
    for index, item in enumerate(records):
        given = as_object(item, f"[{index}]")
        _understood(given, index)
        base = _based(given, base)
        if _REGULAR & given.keys():
            record = reads(_record)(index, given, base, now_ms)
            if isinstance(record, Rejected):
                record = Rejected(record.reason, f"[{index}] {record.detail}")
            resolved.append(record)
    return resolved


def _understood(given: dict[str, Any], index: int) -> None:
    version = whole(given.get("bver", _VERSION), f"[{index}].bver")
    if version > _VERSION:
        detail = received_allowed(f"[{index}].bver", version, (f"up to {_VERSION}",))
        raise Unreadable(Reason.UNSUPPORTED, detail)
    unknown = [label for label in given if label.endswith("_")]
    if unknown:
        detail = f"[{index}]: received {unknown[0][:40]!r}, a label that must be understood, allowed: none"
        raise Unreadable(Reason.UNSUPPORTED, detail)


def _based(given: dict[str, Any], before: _Base) -> _Base:
    """The base values in force from this record on."""
    return _Base(
        name=_text(given, "bn", before.name),
        time_s=as_number(given["bt"], "bt") if "bt" in given else before.time_s,
        unit=_text(given, "bu", before.unit),
        value=as_number(given["bv"], "bv") if "bv" in given else before.value,
    )


def _record(index: int, given: dict[str, Any], base: _Base, now_ms: int | None) -> Record:
    name = as_text(base.name + _text(given, "n", ""), "bn + n")
    unit, value = _text(given, "u", base.unit), _value(given, base.value)
    return Record(index, name, unit, value, _at_ms(given, base.time_s, now_ms))


def _text(given: dict[str, Any], label: str, missing: str) -> str:
    """Text that may be empty; `missing` if the record has no such label."""
    value = given.get(label, missing)
    return value if value == "" else as_text(value, label)


def _value(given: dict[str, Any], base: float | None) -> float | bool | None:
    said = [label for label in _VALUES if label in given]
    if len(said) > 1:
        raise Unreadable(Reason.MALFORMED, f"received {' and '.join(said)}, allowed: one value")
    if "vb" in given:
        if not isinstance(given["vb"], bool):
            raise Unreadable(Reason.WRONG_TYPE, received_allowed("vb", "no flag", ("true, false",)))
        return bool(given["vb"])
    if "v" in given:
        return as_number((base or 0.0) + as_number(given["v"], "v"), "bv + v")
    if said or "s" in given:
        return None
    if base is None:
        raise Unreadable(Reason.MISSING_FIELD, "v, vb, vs, vd or s")
    return base


def _at_ms(given: dict[str, Any], base_s: float, now_ms: int | None) -> int:
    time_s = base_s + (as_number(given["t"], "t") if "t" in given else 0.0)
    if not abs(time_s) <= LATEST_MS / 1000:
        detail = received_allowed("bt + t", time_s, ("seconds before the year 9999",))
        raise Unreadable(Reason.BAD_TIME, detail)
    if time_s >= _RELATIVE_BELOW_S:
        return round(time_s * 1000)
    if now_ms is None:
        detail = "received a time relative to now in a message kept by the broker, allowed: an absolute time"
        raise Unreadable(Reason.BAD_TIME, detail)
    return now_ms + round(time_s * 1000)
