"""What can be asked for by name: measures of a domain, and what is formed of them. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.errors import SettingsError, received_allowed
from schemas.kinds import DOMAINS, Domain
from schemas.measures import DERIVED, MEASURES, Ratio, lasts

__all__ = ["FIGURES", "Figure", "all_figures", "figures_named"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A column of an analysis.

    `ratio`: how it is formed of sums; None for a measure. `lasts`: it says how things stand at a window's
    end, or who was heard in it, so that a period has its mean; the others add up.
    """

    name: str
    domain: Domain
    unit: str
    description: str
    lasts: bool
    ratio: Ratio | None = None

    @property
    def sums(self) -> tuple[str, ...]:
        """The measures it needs."""
        return self.ratio.sums if self.ratio else (self.name,)

    @property
    def over_time(self) -> str:
        """What a period has of it."""
        return "formed of sums" if self.ratio else "mean" if self.lasts else "sum"

    @property
    def whole(self) -> bool:
        """Whether it is a whole number in each window."""
        return self.unit == "1" and self.ratio is None


def _figures(domain: Domain) -> dict[str, Figure]:
    measures = (Figure(m.name, domain, m.unit, m.description, lasts(m)) for m in MEASURES[domain])
    formed = (Figure(name, domain, r.unit, r.description, True, r) for name, r in DERIVED[domain].items())
    return {figure.name: figure for figure in (*measures, *formed)}


FIGURES: Final[Mapping[Domain, Mapping[str, Figure]]] = {domain: _figures(domain) for domain in DOMAINS}
"""By domain and name."""


def all_figures() -> Iterable[Figure]:
    """Every one, by domain."""
    return (figure for domain in DOMAINS for figure in FIGURES[domain].values())


def figures_named(names: Sequence[str], domain: Domain | None = None) -> tuple[Figure, ...]:
    """The figures of one domain by name (`occupancy`, or `parking.occupancy`), each once, in their order.

    SettingsError: a name that is none (with the nearest), that is of several domains, or of another one.
    """
    if not names:
        raise SettingsError("metric: received none, allowed: one or more, such as occupancy")
    domain = domain or _domain(names)
    return tuple(dict.fromkeys(_figure(name, domain) for name in names))


def _domain(names: Sequence[str]) -> Domain:
    """The one domain that has them all."""
    possible = [domain for domain in DOMAINS if all(_bare(name, domain) in FIGURES[domain] for name in names)]
    if len(possible) == 1:
        return possible[0]
    if possible:
        allowed = (f"{each}.{_bare(names[0], each)}" for each in possible)
        raise SettingsError(received_allowed("metric", names[0], allowed))
    for name in names:
        if not any(_bare(name, domain) in FIGURES[domain] for domain in DOMAINS):
            raise _unknown(name, [figure.name for figure in all_figures()])
    raise SettingsError(
        f"metrics: received {', '.join(names)}, allowed: those of one domain in one table; "
        "one call a domain makes one file each"
    )


def _figure(name: str, domain: Domain) -> Figure:
    figure = FIGURES[domain].get(_bare(name, domain))
    if figure is None:
        raise _unknown(name, list(FIGURES[domain]))
    return figure


def _bare(name: str, domain: Domain) -> str:
    return name.removeprefix(f"{domain}.")


def _unknown(name: str, known: list[str]) -> SettingsError:
    near = difflib.get_close_matches(name.rpartition(".")[2], known, 3, 0.5)
    meant = f" (did you mean {' or '.join(near)}?)" if near else ""
    return SettingsError(f"metric: received {name!r}{meant}, allowed: {', '.join(dict.fromkeys(known))}")
