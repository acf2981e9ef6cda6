"""Who holds which post since when, by signatures; and who is to be told of what comes then. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Duty", "Term"]


@dataclass(frozen=True, slots=True)
class Term:
    """Somebody took a post over at `from_ms`: the next alert is theirs. `person`: their id at the desk."""

    post: str
    from_ms: int
    person: str
    name: str


@dataclass(frozen=True, slots=True)
class Duty:
    """Terms by post, in the order they began."""

    terms: Mapping[str, Sequence[Term]] = field(default_factory=dict)

    @classmethod
    def of(cls, terms: Iterable[Term]) -> Duty:
        """Of terms in any order."""
        held: dict[str, list[Term]] = {}
        for term in sorted(terms, key=lambda each: each.from_ms):
            held.setdefault(term.post, []).append(term)
        return cls(held)

    def holder(self, post: str, at_ms: int) -> Term | None:
        """Who held it then: from the moment of the signature on."""
        terms = self.terms.get(post, ())
        at = bisect_right(terms, at_ms, key=lambda each: each.from_ms)
        return terms[at - 1] if at else None

    def told(self, post: str, people: Sequence[str], at_ms: int) -> Sequence[str]:
        """Of the post's `people` (on-call names) those to be told of what comes then.

        The holder alone; all of them while nobody has signed, or who did is none of them: rather twice told
        than not at all.
        """
        held = self.holder(post, at_ms)
        known = [name for name in people if held is not None and name in {held.name, held.person}]
        return known[:1] or people
