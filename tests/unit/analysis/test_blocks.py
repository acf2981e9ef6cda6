"""Windows out of InfluxDB's CSV, and answers that are not whole."""

import httpx
import numpy as np
import pytest

from operations.influxql import InfluxQl, UnavailableError
from schemas.errors import TaishiError
from taishi.analysis import blocks as module
from taishi.analysis.blocks import blocks, take_census
from taishi.analysis.influx import Store
from tests.unit.analysis.made import ask, at_ms

QUESTION = ask("turnover", level="street", since="2026-11-25T08:00", until="2026-11-25T08:04", window="1m")
FIELDS = ("complete", "readings", "readings_simulated", "spaces", "turnover", "unknown")
STREETS = ("370202001", "370202002")


def influx(rows, counted, asked=None):
    """An InfluxDB of these rows, (place, local time, turnover), that counts `counted`."""

    def answer(request):
        query = request.url.params["q"]
        if asked is not None:
            asked.append(query)
        if "count(" in query:
            series = [
                {
                    "name": "parking",
                    "tags": {"place": place},
                    "columns": ["time", "windows"],
                    "values": [[0, count]],
                }
                for place, count in counted.items()
            ]
            return httpx.Response(200, json={"results": [{"series": series}]})
        since, until = (int(part.split("ms")[0]) for part in query.replace("<", ">=").split("time >= ")[1:])
        lines = [
            f"parking,place={place},{at_ms(at)},1,0,0,10,{turnover},0"
            for place, at, turnover in rows
            if since <= at_ms(at) < until
        ]
        return httpx.Response(
            200, text="\n".join([f"name,tags,time,{','.join(FIELDS)}", *lines]) if lines else "\n"
        )

    return Store(InfluxQl("http://influxdb", "", transport=httpx.MockTransport(answer)), "taishi")


ROWS = [
    (place, f"2026-11-25T08:0{n}", n * 10)
    for place in STREETS
    for n in range(4)
    if (place, n) != (STREETS[1], 2)
]


@pytest.mark.parametrize("cells", [2, 4, 1_000])
def test_windows_come_in_order_whatever_the_blocks_size(monkeypatch, cells):
    monkeypatch.setattr(module, "CELLS", cells)
    store = influx(ROWS, {STREETS[0]: 4, STREETS[1]: 3})
    found = list(blocks(store, QUESTION, take_census(store, QUESTION)))
    assert len(found) == -(-8 // cells)
    turnover = np.concatenate([block.values["turnover"] for block in found])
    np.testing.assert_equal(turnover, [[0, 0], [10, 10], [20, np.nan], [30, 30]])
    starts = np.concatenate([block.starts_ms for block in found])
    assert (np.diff(starts) == 60_000).all()
    assert {block.places for block in found} == {STREETS}


def test_an_answer_that_broke_off_is_told():
    store = influx(ROWS[:-1], {STREETS[0]: 4, STREETS[1]: 3})
    with pytest.raises(
        TaishiError, match="counted 7 windows and gave 6, fewer than counted of 1 places, the first 370202002"
    ):
        list(blocks(store, QUESTION, take_census(store, QUESTION)))


def test_a_place_that_came_after_the_count_is_left_out():
    store = influx(ROWS, {STREETS[0]: 4})
    (found,) = blocks(store, QUESTION, take_census(store, QUESTION))
    assert found.places == STREETS[:1]


def test_only_the_level_and_places_asked_for_are_read_unless_counts_are_masked():
    asked = []
    take_census(influx([], {}, asked), QUESTION)
    care = ask("sos", level="grid", places=("370202001",), since="2026-11-25T08:00", until="2026-11-25T09:00")
    take_census(influx([], {}, asked), care)
    assert "place =~ /^(370202)/ AND level = 'street'" in asked[0]
    assert "place =~ /^(370202)/ AND time" in asked[1]  # every level of the district: they hide each other


def test_what_is_no_csv_is_told():
    store = Store(
        InfluxQl(
            "http://influxdb",
            "",
            transport=httpx.MockTransport(lambda _: httpx.Response(200, text="<html>,\n")),
        ),
        "x",
    )
    with pytest.raises(TaishiError, match="gave no CSV: b'<html>"):
        store.columns("SELECT 1", {})


def test_an_influxdb_that_does_not_answer_is_told():
    with pytest.raises(UnavailableError, match=r"InfluxDB at http://127\.0\.0\.1:1"):
        Store(InfluxQl("http://127.0.0.1:1", ""), "taishi").columns("SELECT 1", {})
