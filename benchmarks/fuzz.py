"""`taishi bench fuzz`: spoiled payloads of every codec through the real door, and what garbage costs.

Every message must come out as records that can be written, or be refused with a reason of the closed list;
received must equal taken plus quarantined. Throughput of good messages with a tenth of garbage among them is
measured beside the same good messages alone.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fuzz_payloads import CLASSES, spoiled
from connectors.base import Device, Message
from connectors.codecs import codec_names, load_codecs
from connectors.gateway import Gateway, Limits, Outcome
from connectors.privacy.guard import KeyedGuard
from connectors.privacy.keys import KeyFile, create_keys
from connectors.producer import Record
from connectors.resolve import Resolver
from schemas.quarantine import Reason

__all__ = ["FuzzFigures", "bench_fuzz"]

_CONNECTORS = Path(__file__).resolve().parents[1] / "connectors"
_OPTIONS = {"fiware": {"crs": "WGS-84"}}
_ADDRESSES = {"zigbee2mqtt": "zigbee2mqtt/d"}
_GRID = "370202001001001"
_ROUNDS, _TURN = 10, 450
_AT_MS = 1_795_392_000_000


@dataclass(frozen=True, slots=True)
class FuzzFigures:
    """`taken` led to records or to nothing; `reasons` counts the rest. `throughput_ratio`: see the module."""

    sent: int
    taken: int
    quarantined: int
    crashes: int
    reasons: dict[str, int]
    clean_per_s: float
    throughput_ratio: float


class _Everywhere:
    def locate(self, _lon: float, _lat: float) -> str:
        return _GRID

    def has_grid(self, _code: str) -> bool:
        return True


class _AnyDevice:
    """Every device is registered, as what the codec's sample needs."""

    def get(self, device: str) -> Device:
        return Device(device, "bosch.tps110", "care.activity", _GRID, None, "p", None, simulated=True)


class _Log:
    """Confirms at once; counts the records."""

    def __init__(self) -> None:
        self.records = 0

    def deliver(self, records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        self.records += len(records)
        on_delivered()


def bench_fuzz(count: int, seed: int, say: Callable[[str], None]) -> FuzzFigures:
    """Send `count` spoiled payloads, all codecs and classes in turn; then measure what garbage costs."""
    gateway, good = _door("fuzz"), _good_payloads()
    rng, outcomes, reasons = random.Random(seed), Counter[str](), Counter[str]()
    turns = [(codec, kind) for codec in good for kind in CLASSES]

    def done(outcome: Outcome) -> None:
        outcomes["quarantined" if outcome.rejected else "taken"] += 1
        if outcome.rejected:
            reasons[Reason(outcome.rejected.reason).value] += 1
            outcomes["crashes"] += outcome.rejected.detail.startswith("codec ")

    for number in range(count):
        codec, kind = turns[number % len(turns)]
        payload = spoiled(rng.choice(good[codec]), kind, rng)
        gateway.accept(Message(payload, _ADDRESSES.get(codec, "/x"), _AT_MS), codec, done)
        if number % 20_000 == 19_999:
            say(f"{number + 1:,} of {count:,}")
    clean, mixed = _rates(good["native"], rng)
    return FuzzFigures(
        sent=count,
        taken=outcomes["taken"],
        quarantined=outcomes["quarantined"],
        crashes=outcomes["crashes"],
        reasons=dict(reasons.most_common()),
        clean_per_s=round(clean),
        throughput_ratio=round(mixed / clean, 3),
    )


def _door(transport: str) -> Gateway:
    codecs = load_codecs(codec_names(), _OPTIONS)
    resolver = Resolver(_AnyDevice(), _Everywhere(), _guard())
    limits = Limits(messages=10**9, records=10**9, payload_bytes=10**12)
    return Gateway(transport, codecs, _AnyDevice(), resolver, _Log(), limits)  # type: ignore[arg-type]


def _guard() -> KeyedGuard:
    """As at every door of an installation: what is refused is sealed."""
    with tempfile.TemporaryDirectory() as folder:
        create_keys(Path(folder) / "keys.json")
        return KeyedGuard(KeyFile(Path(folder) / "keys.json"))


def _good_payloads() -> dict[str, list[bytes]]:
    """The sample and the test cases of every codec."""
    found = {}
    for codec in codec_names():
        paths = [*(_CONNECTORS / codec).glob("sample.*"), *(_CONNECTORS / codec).glob("testcases/*/input.*")]
        found[codec] = [content for path in sorted(paths) if (content := path.read_bytes())]
    return found


def _rates(good: list[bytes], rng: random.Random) -> tuple[float, float]:
    """Good messages a second, alone and with a tenth of garbage, by the processor time of many short turns.

    Of a turn's pair of times the quotient is taken, of all pairs the median: what else the machine does hits
    both of a pair alike.
    """
    clean = [rng.choice(good) for _ in range(9_000)]
    garbage = [spoiled(rng.choice(good), rng.choice(list(CLASSES)), rng) for _ in range(1_000)]
    garbage = [each for each in garbage if len(each) < 2 * max(map(len, good))]
    known, mixed = set(clean), clean + garbage
    rng.shuffle(mixed)
    gateway, alone, ratios = _door("fuzz-rate"), [], []
    for _ in range(_ROUNDS):
        for first in range(0, len(clean), _TURN):
            good_s = _time(gateway, clean[first : first + _TURN])
            both = mixed[first * 10 // 9 : (first + _TURN) * 10 // 9]
            kept = sum(each in known for each in both)
            alone.append(_TURN / good_s)
            ratios.append(kept / _time(gateway, both) / alone[-1])
    return statistics.median(alone), statistics.median(ratios) * statistics.median(alone)


def _time(gateway: Gateway, payloads: list[bytes]) -> float:
    """Seconds of this thread's processor time: neighbours on the machine do not count."""
    start_s = time.thread_time()
    for payload in payloads:
        gateway.accept(Message(payload, "/x", _AT_MS), "native", lambda _outcome: None)
    return time.thread_time() - start_s
