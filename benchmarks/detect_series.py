"""Single series of every form, each with one kind of anomaly: `python -m benchmarks.detect_series`.

Beats, waves, machine cycles, daily counts and plain noise, of random pace, scale and level; in the second
half one to three anomalies. Each row is judged by those before it (`taishi detect`'s own code, constants as
they are) and by a moving band (mean ± kσ of the last 100 rows). Printed a kind: average precision of scores
(1: every row of an anomaly scores above every other; a row up to 30 after its end counts as it) and the share
of anomalies `alert` told of; at the end false alarms a thousand rows. No public corpus was looked at.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import click
import numpy as np
import numpy.typing as npt

from pipelines.kernels.detect.stream import Stream

__all__ = ["FORMS", "KINDS", "made", "main"]

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator

_START_MS: Final = 1_780_272_000_000
_STEP_MS: Final = 300_000
_AFTER: Final = 30
_BAND: Final = 100


def _phase(rng: Rng, rows: int, pace: int) -> Floats:
    """Turns so far, at a pace that wanders by some percent."""
    wander = np.convolve(rng.normal(size=rows), np.ones(200) / np.sqrt(200), "same")
    return np.cumsum((1 + 0.02 * wander) / pace)


def _beat(rng: Rng, turns: Floats) -> Floats:
    at = turns % 1
    tall = 1 + 0.05 * rng.normal(size=int(turns[-1]) + 2)[turns.astype(int)]
    sharp, flat = np.exp(-(((at - 0.3) / 0.03) ** 2)), 0.3 * np.exp(-(((at - 0.65) / 0.08) ** 2))
    result: Floats = tall * (sharp + flat)
    return result


def _wave(_rng: Rng, turns: Floats) -> Floats:
    result: Floats = np.sin(2 * np.pi * turns) + 0.4 * np.sin(4 * np.pi * turns + 1)
    return result


def _cycle(rng: Rng, turns: Floats) -> Floats:
    levels = np.repeat(rng.uniform(0, 1, 4), 3)
    result: Floats = levels[(turns % 1 * levels.size).astype(int)]
    return result


def _day(rng: Rng, turns: Floats) -> Floats:
    rate = np.exp(2 + np.cos(2 * np.pi * turns) * np.where(turns // 1 % 7 >= 5, 0.4, 0.8))
    result: Floats = rng.poisson(rate * rng.gamma(15, 1 / 15, turns.size)).astype(float) / 15
    return result


def _noise(rng: Rng, turns: Floats) -> Floats:
    result: Floats = np.convolve(rng.standard_t(4, turns.size), 0.6 ** np.arange(12), "same") / 8
    return result


FORMS: Final[dict[str, Callable[[Rng, Floats], Floats]]] = {
    "beat": _beat,
    "wave": _wave,
    "cycle": _cycle,
    "day": _day,
    "noise": _noise,
}
KINDS: Final = ("spike", "level", "noisy", "calm", "pace", "form", "stuck")
_ONLY_REGULAR: Final = frozenset({"pace", "form"})


def made(form: str, kind: str, seed: int, rows: int = 3600) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """A series and which of its rows are anomalous."""
    rng = np.random.default_rng([seed, *map(ord, form + kind)])
    pace = 288 if form in {"day", "noise"} else int(rng.integers(50, 200))
    quiet = FORMS[form](rng, _phase(rng, rows, pace))
    values = quiet + 0.03 * rng.normal(size=rows)
    labels = np.zeros(rows, bool)
    for start in range(rows // 2, rows - 500, int(rng.integers(500, 1500))):
        at = start + int(rng.integers(0, 200))
        end = at + (2 if kind == "spike" else pace if pace < 200 else 80)
        values[at:end] = _changed(rng, kind, values, (at, end))
        labels[at:end] = True
    return values * 10 ** rng.uniform(-2, 4) + rng.normal() * 100, labels


def _changed(rng: Rng, kind: str, values: Floats, span: tuple[int, int]) -> Floats:
    at, end = span
    here, spread = values[at:end].copy(), float(np.std(values[:at]))
    size = here.size
    if kind == "pace":
        return values[at - size : end][::2][:size] if rng.random() < 0.5 else np.tile(here[::2], 2)[:size]
    changes: dict[str, Callable[[], Floats]] = {
        "spike": lambda: here + 4 * spread,
        "level": lambda: here + 1.5 * spread,
        "noisy": lambda: here + 0.5 * spread * rng.normal(size=size),
        "calm": lambda: np.full(size, here[0]) + 0.01 * spread * rng.normal(size=size),
        "form": lambda: here[::-1] if rng.random() < 0.5 else here.min() + here.max() - here,
        "stuck": lambda: np.full(size, here[0]),
    }
    return changes[kind]()


def _band(values: Floats) -> Floats:
    found = np.zeros(values.size)
    for row in range(_BAND, values.size):
        before = values[row - _BAND : row]
        found[row] = abs(values[row] - before.mean()) / (before.std() + 1e-9)
    return found


def _precision(score: Floats, labels: npt.NDArray[np.bool_]) -> float:
    near = np.convolve(labels, np.ones(_AFTER + 1))[: labels.size] > 0
    hits = near[np.argsort(-score, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, hits.size + 1))[hits].mean())


def _told(alert: npt.NDArray[np.bool_], labels: npt.NDArray[np.bool_]) -> tuple[int, int, int]:
    """(anomalies told of, anomalies, alerts that begin near none)."""
    starts = np.flatnonzero(np.diff(labels.astype(int), prepend=0) == 1)
    ends = np.flatnonzero(np.diff(labels.astype(int), append=0) == -1)
    told = sum(bool(alert[a : b + _AFTER].any()) for a, b in zip(starts, ends, strict=True))
    near = np.convolve(labels, np.ones(3 * _AFTER))[: labels.size] > 0
    began = np.flatnonzero(np.diff(alert.astype(int), prepend=0) == 1)
    return told, starts.size, int((~near[began]).sum())


@click.command()
@click.option("--seeds", default=2, show_default=True, help="Series of each form and kind.")
@click.option("--first-seed", default=1, show_default=True)
def main(seeds: int, first_seed: int) -> None:
    """Print average precision, ours and a moving band's, and what alerts told, by kind and by form."""
    scores: dict[str, list[tuple[float, float, int, int]]] = defaultdict(list)
    false, rows = 0, 0
    for form in FORMS:
        for kind in KINDS:
            if kind in _ONLY_REGULAR and form in {"day", "noise"}:
                continue
            for seed in range(first_seed, first_seed + seeds):
                values, labels = made(form, kind, seed)
                stream = Stream()
                found = [stream.take(_START_MS + n * _STEP_MS, v) for n, v in enumerate(values.tolist())]
                alert = np.array([each.alert for each in found])
                told, there, wrong = _told(alert, labels)
                ours = _precision(np.array([each.score for each in found]), labels)
                for key in (kind, form, "all"):
                    scores[key].append((ours, _precision(_band(values), labels), told, there))
                false, rows = false + wrong, rows + values.size
        click.echo(f"{form}: done", err=True)
    table = {
        key: {
            "average_precision": round(float(np.mean([each[0] for each in found])), 3),
            "moving_band": round(float(np.mean([each[1] for each in found])), 3),
            "told": f"{sum(each[2] for each in found)} of {sum(each[3] for each in found)}",
        }
        for key, found in scores.items()
    }
    said = table | {"false_alarms_per_1000_rows": round(1000 * false / rows, 3)}
    click.echo(json.dumps(said, indent=2))


if __name__ == "__main__":
    main()
