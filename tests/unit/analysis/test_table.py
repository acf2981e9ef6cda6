"""A block as rows: figures, what is missing, what is hidden, and by which boundaries."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from operations.outgoing.masking import concealed_counts
from schemas.measures import derive
from taishi.analysis.blocks import Block
from taishi.analysis.masks import conceal
from taishi.analysis.table import chosen, figure_values, schema_of, table
from tests.unit.analysis.made import LAYER, MOVED_DAY, ONE, TWO, ask, block

STREETS = ("370202001", "370202002")
GRIDS = tuple(grid.code for grid in LAYER.grids[:3])


def rows(question, made, boundaries=ONE):
    return table(question, made, boundaries).to_pylist()


def test_a_row_is_a_window_of_a_place_with_what_is_to_be_known_of_it():
    question = ask("occupancy", "turnover", level="street")
    made = block(
        question,
        STREETS,
        {
            "2026-11-25T08:00": {
                "spaces": (10, 20), "occupied": (4, 5), "unknown": (2, 0), "turnover": (3, 7),
                "readings": (4, 0), "readings_simulated": (1, 0), "complete": (1, 0),
            },
            "2026-11-25T08:01": {"spaces": (10, None), "unknown": (10, None)},
        },
    )  # fmt: skip
    first, second, silent, missing = rows(question, made)
    assert first["start"].isoformat() == "2026-11-25T08:00:00+08:00"
    assert (first["window"], first["level"], first["place"], first["name"]) == (
        "1m",
        "street",
        STREETS[0],
        "香港中路街道",
    )
    assert (first["occupancy"], first["turnover"]) == (0.5, 3)
    assert (first["complete"], first["unknown_share"], first["simulated_share"]) == (True, 0.2, 0.25)
    assert (second["complete"], second["missing"], second["simulated_share"]) == (False, False, None)
    assert (silent["occupancy"], silent["turnover"], silent["unknown_share"]) == (None, 0, 1.0)
    assert (missing["missing"], missing["complete"], missing["turnover"]) == (True, False, None)


def test_every_column_says_its_unit_and_meaning():
    schema = schema_of(ask("co2_mean", "sos", small_counts=True))
    assert schema.field("co2_mean").metadata[b"unit"] == b"[ppm]"
    assert [str(schema.field(name).type) for name in ("start", "sos", "co2_mean", "boundary_valid_from")] == [
        "timestamp[ms, tz=Asia/Shanghai]", "int64", "double", "date32[day]"
    ]  # fmt: skip
    assert all(field.metadata[b"description"] for field in schema)


def test_history_is_told_by_the_boundaries_in_force_then():
    question = ask("occupancy", level="grid", since="2026-11-24", until="2026-11-25", window="1h")
    made = block(question, GRIDS[:1], {"2026-11-24T23:00": {}, "2026-11-25T00:00": {}})
    before, after = rows(question, made, TWO)
    assert (before["boundary_valid_from"], after["boundary_valid_from"]) == (LAYER.valid_from, MOVED_DAY)
    assert after["name"] == before["name"] + "（新）"


def test_a_window_before_every_boundary_has_none():
    question = ask("occupancy", level="grid", since="2023-12-31T20:00", until="2024-01-01T02:00", window="1h")
    made = block(question, GRIDS[:1], {"2023-12-31T23:00": {}, "2024-01-01T00:00": {}})
    assert [row["boundary_valid_from"] for row in rows(question, made)] == [None, LAYER.valid_from]
    assert [row["name"] for row in rows(question, made)] == [None, LAYER.grids[0].name]


def test_counts_of_few_people_are_left_out_with_what_would_tell_them():
    question = ask("residents_seen", "sos", level="community")
    places = ("370202", "370202001", "370202001001", "370202001002", "370202001003")
    made = block(
        question, places, {"2026-11-25T08:00": {"residents_seen": (23, 23, 3, 12, 8), "sos": (1, 1, 1, 0, 0)}}
    )
    told = rows(question, chosen(question, conceal("care", made, {"residents_seen", "sos"})))
    assert [row["residents_seen"] for row in told] == [None, 12, None]  # 23 - 12 are 3 and 8 together
    assert [row["sos"] for row in told] == [None, None, None]  # one call in the street: nothing tells where
    assert [row["masked"] for row in told] == [True, True, True]


def test_shares_of_silent_beds_are_told_with_figures_of_beds_only():
    places = ("370202",)
    windows = {"2026-11-25T08:00": {"beds": (20,), "beds_unknown": (5,), "residents_seen": (9,)}}
    for metric, share in (("beds_occupied", 0.25), ("residents_seen", None)):
        question = ask(metric)
        assert rows(question, block(question, places, windows))[0]["unknown_share"] == share


@given(arrays(np.float64, (3, 3, 3), elements=st.integers(0, 30)))
def test_a_ratio_of_columns_is_that_of_one_window(cells):
    question = ask("occupancy", level="grid")
    occupied, unknown, spaces = cells
    made = Block(np.zeros(3, np.int64), GRIDS, {"occupied": occupied, "unknown": unknown, "spaces": spaces})
    for row, column in np.ndindex(3, 3):
        sums = {name: values[row, column] for name, values in made.values.items()}
        expected = derive("parking", sums).get("occupancy", np.nan)
        np.testing.assert_equal(figure_values(question.figures[0], made)[row, column], expected)


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 12) | st.none(), min_size=3, max_size=3), min_size=1, max_size=3))
def test_a_block_hides_window_by_window_what_one_window_hides(counts):
    question = ask("residents_seen", level="grid")
    made = block(
        question,
        GRIDS,
        {f"2026-11-25T08:0{n}": {"residents_seen": tuple(row)} for n, row in enumerate(counts)},
    )
    hidden = conceal("care", made, {"residents_seen"}).hidden["residents_seen"]
    for row, cells in enumerate(counts):
        there = {place: cell for place, cell in zip(GRIDS, cells, strict=True) if cell is not None}
        parents = {place: place[:12] for place in GRIDS}
        expected = concealed_counts("care", {"residents_seen": there}, parents)["residents_seen"]
        assert {place for place, is_hidden in zip(GRIDS, hidden[row], strict=True) if is_hidden} == expected
