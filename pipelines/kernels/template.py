"""Readings of one shape, compared as bytes: a template is one reading with its variable parts blanked out.

Connectors write fields in one order, so readings of equal length mostly differ in a few digits and names at
the same places. Where every other byte is equal to the template's, and the variable ones are digits or plain
letters, JSON's grammar is satisfied, and the values can be lifted out of all of them at once: a decoder makes
an object for each text and number. Whatever does not match is left to the decoder, so a template decides how
fast a reading is read and never what it says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Bytes", "Head", "Span", "Template", "template_of"]

Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

_MEMBER: Final = (
    rb'"(?P<name>[a-z_]+)":(?:"(?P<text>[ !#-\[\]-~]*)"'
    rb"|(?P<sign>-?)(?P<whole>0|[1-9][0-9]*)(?:\.(?P<part>[0-9]+))?|(?P<flag>true|false))"
)
_OBJECT: Final = re.compile(rb"\{%b(?:,%b)*\}" % ((re.sub(rb"\?P<[a-z]+>", b"?:", _MEMBER),) * 2))
_NEXT: Final = re.compile(rb"[{,]" + _MEMBER)
_CONSTANT_TEXTS: Final = ("kind", "metric", "source")
_VARIABLE_TEXTS: Final = ("id", "device", "grid", "subject")
_WHOLE: Final = ("observed_at_ms", "received_at_ms", "seq")
_NEEDED: Final = frozenset({*_CONSTANT_TEXTS, "device", "grid", "value", "observed_at_ms"})
_MOST_DIGITS: Final = 15
"""So many are exact as a double, and below 2**53."""


class Head(NamedTuple):
    """What readings of one template have in common."""

    kind: str
    metric: str
    source: str
    simulated: bool


class Span(NamedTuple):
    """Columns `[begin, end)` of the bytes."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Template:
    """`octets` and `mask` have the reading's length; the mask is 0 where any digit or letter may stand.

    `whole` are fields of digits alone; `value` is digits with `part` of them after a dot, which is left out.
    """

    head: Head
    octets: Bytes
    mask: Bytes
    texts: dict[str, Span]
    whole: dict[str, Span]
    value: tuple[Span, ...]
    sign: float

    def matches(self, rows: Bytes) -> Bools:
        """Which of `rows`, shape `(n, length)`, are readings of this template."""
        differ = (rows ^ self.octets) & self.mask
        good = np.ones(rows.shape[0], np.bool_)
        # A look down the columns is cheaper than along the rows, and mostly enough.
        if np.bitwise_or.reduce(differ, axis=0).any():
            good &= ~differ.any(axis=1)
        for span in self.texts.values():
            _narrow(good, _is_plain(rows[:, span.begin : span.end]))
        for span in (*self.whole.values(), *self.value):
            _narrow(good, rows[:, span.begin : span.end] - 48 < 10)
        for span in (*self.whole.values(), self.value[0]):
            if span.end - span.begin > 1:  # a number of several digits does not begin with 0
                _narrow(good, rows[:, span.begin : span.begin + 1] != 48)
        return good

    def numbers(self, rows: Bytes, name: str) -> npt.NDArray[np.int64]:
        """The field of digits, of rows that match; 0 where readings of this template have none."""
        if name not in self.whole:
            return np.zeros(rows.shape[0], np.int64)
        return _digits(rows, self.whole[name]).astype(np.int64)

    def values(self, rows: Bytes) -> npt.NDArray[np.float64]:
        """The reading's value, of rows that match: the double nearest to what is written."""
        digits = _digits(rows, self.value[0])
        if len(self.value) == 1:
            return self.sign * digits
        scale = 10.0 ** (self.value[1].end - self.value[1].begin)
        # Both are exact, so the quotient is rounded once (Clinger, PLDI 1990).
        return self.sign * ((digits * scale + _digits(rows, self.value[1])) / scale)


def template_of(example: bytes) -> Template | None:
    """The template of a reading, None when it is written in any other way than connectors write."""
    if not _OBJECT.fullmatch(example):
        return None
    found = [(match["name"].decode(), match) for match in _NEXT.finditer(example)]
    fields = dict(found)
    if len(fields) != len(found) or not fields.keys() >= _NEEDED:
        return None
    if not _typed(fields):
        return None
    number = fields["value"]
    whole = {name: Span(*fields[name].span("whole")) for name in _WHOLE if name in fields}
    value = tuple(Span(*number.span(part)) for part in ("whole", "part") if number[part] is not None)
    if sum(end - begin for begin, end in value) > _MOST_DIGITS:
        return None
    if any(end - begin > _MOST_DIGITS for begin, end in whole.values()):
        return None
    texts = {name: Span(*fields[name].span("text")) for name in _VARIABLE_TEXTS if name in fields}
    octets = np.frombuffer(example, np.uint8)
    mask = np.full(octets.size, 0xFF, np.uint8)
    for begin, end in (*texts.values(), *whole.values(), *value):
        mask[begin:end] = 0
    kind, metric, source = (fields[name]["text"].decode() for name in _CONSTANT_TEXTS)
    simulated = "simulated" in fields and fields["simulated"]["flag"] == b"true"
    head = Head(kind, metric, source, simulated)
    return Template(head, octets, mask, texts, whole, value, -1.0 if number["sign"] else 1.0)


def _typed(fields: dict[str, re.Match[bytes]]) -> bool:
    """Whether each field that is looked at is of its type."""
    return (
        all(
            fields[name]["text"] is not None
            for name in (*_CONSTANT_TEXTS, *_VARIABLE_TEXTS)
            if name in fields
        )
        and fields["value"]["whole"] is not None
        and all(
            fields[name]["whole"] is not None and fields[name]["part"] is None and not fields[name]["sign"]
            for name in _WHOLE
            if name in fields
        )
        and ("simulated" not in fields or fields["simulated"]["flag"] is not None)
    )


def _narrow(good: Bools, each: Bools) -> None:
    if not each.all():
        good &= each.all(axis=1)


def _is_plain(octets: Bytes) -> Bools:
    """Printable ASCII but the quotation mark and the backslash: what a JSON text holds as it is."""
    plain: Bools = (octets - 0x20 < 0x5F) & (octets != 0x22) & (octets != 0x5C)
    return plain


def _digits(rows: Bytes, span: Span) -> npt.NDArray[np.float64]:
    columns = (rows[:, span.begin : span.end] - 48).astype(np.float64)
    number: npt.NDArray[np.float64] = columns @ 10.0 ** np.arange(span.end - span.begin - 1, -1, -1)
    return number
