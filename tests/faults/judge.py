"""The judge: what was promised to senders against what the ends hold, in nine words. Pure.

An obligation is a message of f(seed, number) that was issued; it binds once it was acknowledged. An end is a
place where its effect is found. What was issued and never acknowledged may be there or not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

WORDS: Final = (
    "lost",  # acknowledged, and its effect is not there
    "duplicated_effect",  # counted, alerted or opened more than once
    "duplicated_delivery",  # more than once on the log: allowed, the fold drops the second
    "spurious",  # there, and nobody issued it
    "corrupted",  # there, and not as it was issued
    "reordered_per_key",  # first on the log before one that its device was told "taken" of earlier
    "late_unaccounted",  # too late to count, and not among the late ones
    "over_bound",  # more waited in memory at once than may: what grows without end dies in an outage
    "stuck",  # issued, and neither acknowledged nor refused when all was quiet again
)
ALLOWED: Final = frozenset({"duplicated_delivery"})
Window = tuple[str, str, int]
"""Domain, grid, start in ms."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """One message as it was issued; `number` rises with the time it was issued at."""

    id: str
    number: int
    key: str
    """What its order is kept within: the device."""
    content: str
    window: Window
    amount: float = 0.0
    """What it adds to the sum of its window that is compared."""
    observed_ms: int = 0
    acked: bool = True
    alarm: bool = False
    """Whether it must become an alert, and that a case."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One record of an end, in the order it stands there; `appended_ms` where the end is a log."""

    id: str
    content: str = ""
    appended_ms: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """What a window holds: how many readings, and the sum of their amounts."""

    readings: int = 0
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Ends:
    """All that was found; `accounted` are ids in the topics `late` and `quarantine`."""

    readings: Sequence[Seen] = ()
    windows: Mapping[Window, Counted] = field(default_factory=dict)
    alerts: Sequence[Seen] = ()
    cases: Sequence[Seen] = ()
    accounted: Collection[str] = ()
    waiting: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Part -> the most messages that waited in it at once, and how many may."""


@dataclass(slots=True)
class Verdict:
    """How often each word is true of each end, and examples of it."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    examples: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, end: str, word: str, what: str, count: int = 1) -> None:
        """Count `word` of `end`; of `what` the first few are kept."""
        assert word in WORDS, f"verdict: received {word!r}, allowed: {', '.join(WORDS)}"
        self.counts[end][word] += count
        if len(self.examples[end, word]) < 5:
            self.examples[end, word].append(what)

    def total(self, word: str) -> int:
        """Over all ends."""
        return sum(counts[word] for counts in self.counts.values())

    @property
    def broken(self) -> dict[str, int]:
        """The words that must not be, and are."""
        return {word: self.total(word) for word in WORDS if word not in ALLOWED and self.total(word)}

    def table(self) -> str:
        """Every word of every end, whatever was found, and examples of what was."""
        width = max(len(word) for word in WORDS)
        rows = [" " * width + "".join(f"{end:>10}" for end in ENDS)]
        rows += [
            f"{word:<{width}}" + "".join(f"{self.counts[end][word]:>10,}" for end in ENDS) for word in WORDS
        ]
        bad = sorted((key, what) for key, what in self.examples.items() if key[1] not in ALLOWED)
        rows += [f"  {end} {word}: {', '.join(what)}" for (end, word), what in bad]
        return "\n".join(rows)


ENDS: Final = ("senders", "readings", "windows", "alerts", "cases")


def bound(trials: int) -> str:
    """What no failure in so many trials allows at 95 %: the rule of three."""
    return f"no failure in {trials} bounds the rate at {3 / trials:.2g} (95 %)"


def judge(obligations: Iterable[Obligation], ends: Ends, lateness_ms: int) -> Verdict:
    """Compare; `lateness_ms` is how late by the log a reading may be and still must count."""
    issued = {each.id: each for each in obligations}
    verdict = Verdict()
    for each in issued.values():
        if not each.acked:
            verdict.add("senders", "stuck", each.id)
    for part, (most, allowed) in ends.waiting.items():
        if most > allowed:
            verdict.add("senders", "over_bound", f"{part}: {most} of {allowed}", most - allowed)
    _judge_log(verdict, issued, ends.readings)
    _judge_windows(verdict, issued, ends, lateness_ms)
    alarms = {id_: each for id_, each in issued.items() if each.alarm}
    _judge_once(verdict, "alerts", alarms, ends.alerts)
    _judge_once(verdict, "cases", alarms, ends.cases)
    return verdict


def _judge_log(verdict: Verdict, issued: Mapping[str, Obligation], seen: Sequence[Seen]) -> None:
    """A log may hold one twice; the first of each stand in the order of their device."""
    newest: dict[str, int] = {}
    for id_, times in _held(verdict, "readings", issued, seen).items():
        if times > 1:
            verdict.add("readings", "duplicated_delivery", id_, times - 1)
        each = issued[id_]
        if each.number < newest.get(each.key, -1):
            what = f"{each.key} {each.number} after {newest[each.key]}"
            verdict.add("readings", "reordered_per_key", what)
        newest[each.key] = max(each.number, newest.get(each.key, -1))


def _judge_once(verdict: Verdict, end: str, issued: Mapping[str, Obligation], seen: Sequence[Seen]) -> None:
    """An end where each has its effect once."""
    for id_, times in _held(verdict, end, issued, seen).items():
        if times > 1:
            verdict.add(end, "duplicated_effect", id_, times - 1)


def _held(verdict: Verdict, end: str, issued: Mapping[str, Obligation], seen: Sequence[Seen]) -> Counter[str]:
    """How often each issued one is there, in the order of the first; tells what is lost, foreign, changed."""
    times: Counter[str] = Counter()
    for each in seen:
        if each.id not in issued:
            verdict.add(end, "spurious", each.id)
            continue
        times[each.id] += 1
        if each.content != issued[each.id].content:
            was = issued[each.id].content
            verdict.add(end, "corrupted", f"{each.id}: {each.content!r} instead of {was!r}")
    for id_, each in issued.items():
        if each.acked and id_ not in times:
            verdict.add(end, "lost", id_)
    return times


def _judge_windows(verdict: Verdict, issued: Mapping[str, Obligation], ends: Ends, lateness_ms: int) -> None:
    """Each window holds what of it the log has or was acknowledged, without what is among the late ones."""
    appended: dict[str, int] = {}
    for seen in ends.readings:
        appended.setdefault(seen.id, seen.appended_ms)
    wanted: dict[Window, list[Obligation]] = defaultdict(list)
    for id_, each in issued.items():
        if (each.acked or id_ in appended) and id_ not in ends.accounted:
            wanted[each.window].append(each)
    for window in sorted(wanted.keys() | ends.windows.keys()):
        late = sum(
            appended.get(each.id, 0) - each.observed_ms > lateness_ms for each in wanted.get(window, ())
        )
        _judge_window(verdict, window, wanted.get(window, []), ends.windows.get(window, Counted()), late)


def _judge_window(
    verdict: Verdict, window: Window, wanted: Sequence[Obligation], held: Counted, late: int
) -> None:
    name, missing = "/".join(map(str, window)), len(wanted) - held.readings
    if missing > 0:
        unaccounted = min(missing, late)
        if unaccounted:
            verdict.add("windows", "late_unaccounted", f"{name}: {unaccounted} of {len(wanted)}", unaccounted)
        if missing > unaccounted:
            verdict.add("windows", "lost", f"{name}: {held.readings} of {len(wanted)}", missing - unaccounted)
    elif missing < 0:
        word = "duplicated_effect" if wanted else "spurious"
        verdict.add("windows", word, f"{name}: {held.readings} instead of {len(wanted)}", -missing)
    elif held.amount != (amount := sum(each.amount for each in wanted)):
        verdict.add("windows", "corrupted", f"{name}: sum {held.amount:g} instead of {amount:g}")
