"""The chain of entries: whole, or told where it breaks."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.people.audit import BEGINNING, Anchor, Entry, Said, chained, first_broken

TEXT = st.text(max_size=20)
SAID = st.builds(Said, at_ms=st.integers(0, 2**50), who=TEXT, terminal=TEXT, what=TEXT, of=TEXT, detail=TEXT)


def chain(*said: Said) -> list[Entry]:
    entries: list[Entry] = []
    for number, each in enumerate(said, 1):
        entries.append(chained(number, each, entries[-1].hash if entries else BEGINNING))
    return entries


def acts(count: int) -> list[Said]:
    return [
        Said(at_ms=n, who="wang", terminal="desk", what="alerts.acknowledge", of=f"a{n}")
        for n in range(count)
    ]


@given(st.lists(SAID, max_size=8))
def test_what_was_written_holds(said):
    entries = chain(*said)
    assert first_broken(entries) == ""
    if entries:
        assert first_broken(entries, Anchor(entries[-1].number, entries[-1].hash)) == ""


@given(st.lists(SAID, min_size=1, max_size=6), st.data())
def test_a_changed_entry_is_found_wherever_it_is(said, data):
    entries = chain(*said)
    at = data.draw(st.integers(0, len(entries) - 1))
    name = data.draw(st.sampled_from(["who", "terminal", "what", "of", "detail"]))
    other = data.draw(TEXT.filter(lambda text: text != getattr(entries[at].said, name)))
    forged = msgspec.structs.replace(entries[at].said, **{name: other})
    entries[at] = msgspec.structs.replace(entries[at], said=forged)
    assert first_broken(entries) == f"entry {at + 1} is not what was written"


def test_an_entry_taken_out_or_two_exchanged_are_found():
    entries = chain(*acts(5))
    assert first_broken([*entries[:2], *entries[3:]]) == "entry 3 is missing: the next is 4"
    assert first_broken([entries[1], entries[0], *entries[2:]]) == "entry 1 is missing: the next is 2"


def test_an_entry_made_anew_breaks_the_next():
    entries = chain(*acts(3))
    entries[1] = chained(2, msgspec.structs.replace(entries[1].said, who="li"), entries[0].hash)
    assert first_broken(entries) == "entry 3 is not what was written"


def test_an_end_cut_off_is_found_by_the_anchor_and_only_by_it():
    entries = chain(*acts(4))
    anchor = Anchor(4, entries[3].hash)
    assert first_broken(entries[:3]) == ""
    assert first_broken(entries[:3], anchor) == "entries after 3 are missing: the anchor is entry 4"


def test_a_chain_made_anew_is_found_by_the_anchor():
    anchor = Anchor(2, chain(*acts(4))[1].hash)
    other = chain(*(msgspec.structs.replace(each, who="li") for each in acts(4)))
    assert "made anew" in first_broken(other, anchor)


@pytest.mark.parametrize("pair", [("ab", "c"), ("a", "bc")])
def test_what_moves_from_one_field_to_the_next_is_another_entry(pair):
    who, terminal = pair
    entry = chained(1, Said(at_ms=0, who=who, terminal=terminal, what="x"), BEGINNING)
    assert entry.hash != chained(1, Said(at_ms=0, who="abc", terminal="", what="x"), BEGINNING).hash
