"""The scorecard of vendors: what the doors count, as shares, silence and clock, and as InfluxDB points. Pure.

The doors' counts begin when their process does; a share is of what came since. What silence is usual is the
longest pause of two hours, so a vendor is silent when that has passed `SILENT_FACTOR` times. A door that has
just begun knows no pause; what InfluxDB remembers is taken then, else `UNKNOWN_S`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from taishi.status.exposition import Scrape
from taishi.status.snapshot import SourceView

__all__ = ["ALL", "CLOCK_S", "Counts", "Remembered", "VendorScore", "counted", "points", "vendor_scores"]

SILENT_FACTOR: Final = 3.0
SILENT_FLOOR_S: Final = 60.0
"""Nobody is silent sooner than after `SILENT_FACTOR` times this."""
UNKNOWN_S: Final = 3600.0
"""The pause taken as usual where none is known."""
CLOCK_S: Final = 60.0
"""A median clock offset beyond this, either way, is told."""
ALL: Final = "(all)"
"""The vendor of a source's own row in InfluxDB."""

Pair = tuple[str, str]
Remembered = Mapping[Pair, tuple[float, float]]
"""(source, vendor) -> when last heard (s since 1970) and the usual pause (s; 0: not known)."""
Counts = Mapping[Pair, Mapping[str, float]]
"""(source, vendor) -> count by name, since some beginning."""

_COUNTERS: Final = {
    "messages": "taishi_vendor_messages_total",
    "readings": "taishi_vendor_readings_total",
    "late": "taishi_vendor_late_total",
    "duplicate": "taishi_vendor_repeated_total",
}
_QUARANTINED: Final = "taishi_vendor_quarantined_total"
_HEARD: Final = "taishi_vendor_heard_timestamp_seconds"
_GAP: Final = "taishi_vendor_gap_seconds"
_OFFSET: Final = "taishi_vendor_clock_offset_seconds"


@dataclass(frozen=True, slots=True)
class VendorScore:
    """One vendor's devices behind one source; shares from 0 to 1, None where nothing came to take one of.

    `silent_s` since the last message; `silent` when that is unusual. `clock_s` and `clock_p95_s`: received
    minus observed; `clock_off` when the median is beyond `CLOCK_S`.
    """

    source: str
    vendor: str
    messages: int = 0
    bad: float | None = None
    reasons: tuple[tuple[str, int], ...] = ()
    readings: int = 0
    late: float | None = None
    duplicate: float | None = None
    silent_s: float | None = None
    usual_s: float | None = None
    silent: bool = False
    clock_s: float | None = None
    clock_p95_s: float | None = None
    clock_off: bool = False


@dataclass(slots=True)
class _Facts:
    counts: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    heard_s: float = 0.0
    gap_s: float = 0.0
    clock_s: dict[str, float] = field(default_factory=dict)


def vendor_scores(scrape: Scrape, at_ms: int, remembered: Remembered | None = None) -> list[VendorScore]:
    """One a vendor and source, by name; also those that only InfluxDB remembers."""
    facts, now_s = _facts(scrape), at_ms / 1000
    for pair, (heard_s, usual_s) in (remembered or {}).items():
        if pair[1] != ALL:
            found = facts.setdefault(pair, _Facts())
            found.heard_s = max(found.heard_s, heard_s)
            found.gap_s = found.gap_s or usual_s
    return [_score(pair, found, now_s) for pair, found in sorted(facts.items())]


def counted(scrape: Scrape, sources: Iterable[SourceView]) -> dict[Pair, dict[str, float]]:
    """What is counted now, of vendors and of sources as a whole."""
    counts = {pair: facts.counts | _bad(facts.reasons) for pair, facts in _facts(scrape).items()}
    for source in sources:
        counts[source.name, ALL] = {
            "messages": source.received,
            "readings": source.consumed,
            "late": source.late,
            "duplicate": source.duplicate,
            "implausible": sum(source.readings_quarantined.values()),
            **_bad(source.messages_quarantined),
        }
    return counts


def points(before: Counts, now: Counts, scores: Iterable[VendorScore], at_ms: int) -> list[str]:
    """Line protocol: measurement `sources`, tags source and vendor; what was counted since `before`.

    A count that fell began anew with its process, so all of it is new.
    """
    seen = {(score.source, score.vendor): score for score in scores}
    lines = []
    for pair, counts in sorted(now.items()):
        former = before.get(pair, {})
        fields = {name: _since(former.get(name, 0.0), count) for name, count in counts.items()}
        fields |= _shares(fields)
        if (score := seen.get(pair)) is not None:
            fields |= _states(score, at_ms)
        text = ",".join(f"{name}={float(value)!r}" for name, value in fields.items())
        lines.append(f"sources,source={_tag(pair[0])},vendor={_tag(pair[1])} {text} {at_ms}")
    return lines


def _facts(scrape: Scrape) -> dict[Pair, _Facts]:
    facts: dict[Pair, _Facts] = {}

    def each(metric: str) -> Iterable[tuple[_Facts, dict[str, str], float]]:
        for labels, value in scrape.samples.get(metric, {}).items():
            named = dict(labels)
            pair = (named.get("source", ""), named.get("vendor", ""))
            yield facts.setdefault(pair, _Facts()), named, value

    for name, metric in _COUNTERS.items():
        for found, _, value in each(metric):
            found.counts[name] = value
    for found, named, value in each(_QUARANTINED):
        found.reasons[named["reason"]] = int(value)
    for found, _, value in each(_HEARD):
        found.heard_s = value
    for found, _, value in each(_GAP):
        found.gap_s = value
    for found, named, value in each(_OFFSET):
        found.clock_s[named["quantile"]] = value
    return facts


def _score(pair: Pair, facts: _Facts, now_s: float) -> VendorScore:
    counts = facts.counts
    messages, readings = int(counts.get("messages", 0)), int(counts.get("readings", 0))
    silent_s = max(0.0, now_s - facts.heard_s) if facts.heard_s else None
    allowed_s = SILENT_FACTOR * max(facts.gap_s or UNKNOWN_S, SILENT_FLOOR_S)
    median_s = facts.clock_s.get("0.5") if readings else None
    return VendorScore(
        source=pair[0],
        vendor=pair[1],
        messages=messages,
        bad=_share(sum(facts.reasons.values()), messages),
        reasons=tuple(sorted(facts.reasons.items(), key=lambda item: (-item[1], item[0]))),
        readings=readings,
        late=_share(counts.get("late", 0), readings),
        duplicate=_share(counts.get("duplicate", 0), readings),
        silent_s=silent_s,
        usual_s=facts.gap_s or None,
        silent=silent_s is not None and silent_s > allowed_s,
        clock_s=median_s,
        clock_p95_s=facts.clock_s.get("0.95") if readings else None,
        clock_off=median_s is not None and abs(median_s) > CLOCK_S,
    )


def _bad(reasons: Mapping[str, int]) -> dict[str, float]:
    return {"bad": float(sum(reasons.values()))} | {f"bad_{name}": float(n) for name, n in reasons.items()}


def _shares(fields: Mapping[str, float]) -> dict[str, float]:
    wholes = {"bad": "messages", "late": "readings", "duplicate": "readings"}
    shares = {
        f"{part}_share": _share(fields.get(part, 0.0), fields.get(whole, 0.0))
        for part, whole in wholes.items()
    }
    return {name: share for name, share in shares.items() if share is not None}


def _states(score: VendorScore, at_ms: int) -> dict[str, float]:
    states = {
        "silent_s": score.silent_s,
        "usual_s": score.usual_s,
        "heard_s": None if score.silent_s is None else at_ms / 1000 - score.silent_s,
        "clock_s": score.clock_s,
        "clock_p95_s": score.clock_p95_s,
        "silent": float(score.silent),
        "clock_off": float(score.clock_off),
    }
    return {name: state for name, state in states.items() if state is not None}


def _since(before: float, now: float) -> float:
    return now - before if now >= before else now


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _tag(text: str) -> str:
    """A tag's value, escaped; a line break would end the point."""
    clean = "".join(c if c.isprintable() else "_" for c in text).rstrip("\\") or "_"
    return "".join(f"\\{c}" if c in ", =" else c for c in clean)
