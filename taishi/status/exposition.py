"""Prometheus text, as the parts serve it, to numbers that can be asked for by name and label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

__all__ = ["Scrape", "parse"]

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scrape:
    """Samples of one or several processes by name and sorted labels."""

    samples: dict[str, dict[Labels, float]] = field(default_factory=dict)

    def by(self, name: str, label: str) -> dict[str, float]:
        """Sum of the samples called `name`, by one label; empty if there are none."""
        sums: dict[str, float] = {}
        for labels, value in self.samples.get(name, {}).items():
            key = dict(labels).get(label, "")
            sums[key] = sums.get(key, 0.0) + value
        return sums

    def by_two(self, name: str, first: str, second: str) -> dict[str, dict[str, float]]:
        """Sum of the samples called `name`, by two labels."""
        sums: dict[str, dict[str, float]] = {}
        for labels, value in self.samples.get(name, {}).items():
            named = dict(labels)
            inner = sums.setdefault(named.get(first, ""), {})
            inner[named.get(second, "")] = inner.get(named.get(second, ""), 0.0) + value
        return sums

    def total(self, name: str) -> float | None:
        """Sum of all samples called `name`; None if there are none."""
        samples = self.samples.get(name)
        return sum(samples.values()) if samples else None


def parse(texts: Iterable[str]) -> Scrape:
    """Samples of all texts; equal samples of several processes are added. ValueError for what is not it."""
    samples: dict[str, dict[Labels, float]] = {}
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(sorted(sample.labels.items()))
                values = samples.setdefault(sample.name, {})
                values[labels] = values.get(labels, 0.0) + float(sample.value)
    return Scrape(samples)
