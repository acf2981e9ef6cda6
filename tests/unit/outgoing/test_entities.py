"""Windows and readings as NGSI-LD entities: names, times, places, and what is not told."""

from dataclasses import replace

import pytest

from operations.outgoing.entities import CONTEXT, entities, spots
from operations.outgoing.geography import Geography
from operations.outgoing.problems import Problem
from operations.outgoing.query import parsed, select
from operations.outgoing.representation import attributes, shown
from operations.outgoing.rows import PlaceRow, SpotRow
from schemas.measures import MEASURES
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer

GEOGRAPHY = Geography(PlaceRegistry(known_places("370202"), synthetic_layer("370202")))
GRID, STREET = "370202001001001", "370202001"
START_MS = 1_763_872_200_000


def row(domain, place, **values):
    level = {6: "district", 9: "street", 12: "community", 15: "grid"}[len(place)]
    zero = {measure.name: 0.0 for measure in MEASURES[domain]}
    return PlaceRow(domain, level, place, START_MS, 60, zero | values)


PARKING = row("parking", GRID, spaces=10.0, occupied=6.0, unknown=1.0, occupancy=6 / 9)


def test_a_place_with_spaces_is_an_off_street_parking_in_the_words_of_the_model():
    (entity,) = entities([PARKING], GEOGRAPHY)
    assert entity["id"] == f"urn:ngsi-ld:OffStreetParking:taishi:{GRID}"
    numbers = {name: entity[name]["value"] for name in entity if name.endswith("SpotNumber")}
    assert numbers == {
        "totalSpotNumber": 10,
        "occupiedSpotNumber": 6,
        "availableSpotNumber": 3,
        "unknownSpotNumber": 1,
    }
    assert entity["occupancy"] == {
        "type": "Property",
        "value": 0.6667,
        "observedAt": "2025-11-23T04:31:00.000Z",
    }
    assert entity["within"]["object"] == f"urn:ngsi-ld:OffStreetParking:taishi:{GRID[:12]}"
    assert entity["location"]["type"] == "GeoProperty"
    longitude, latitude = entity["location"]["value"]["coordinates"][0][0]
    assert 120 < longitude < 121
    assert 36 < latitude < 37


def test_a_place_without_spaces_is_no_parking():
    assert entities([row("parking", GRID)], GEOGRAPHY) == []


def test_the_outline_of_a_street_holds_its_grids():
    assert GEOGRAPHY.outline(STREET).covers(GEOGRAPHY.outline(GRID))
    assert GEOGRAPHY.outline("999999999") is None


def test_counts_of_few_people_are_not_told():
    rows = [row("care", GRID, residents_seen=3.0, activity=70.0, beds=7.0, beds_occupied=6.0)]
    (entity,) = entities(rows, GEOGRAPHY)
    told = {name for name in attributes(entity) if name in {m.name for m in MEASURES["care"]}}
    assert told == {"beds", "beds_occupied", "beds_unknown"}
    assert entity["masked"]["value"] is True
    assert "activity" in entity["maskedAttributes"]["value"]


def test_people_are_counted_in_the_newest_window_that_the_district_has():
    before = [row("care", place, residents_seen=9.0) for place in ("370202", GRID)]
    early = replace(row("care", GRID, residents_seen=30.0), start_ms=START_MS + 60_000)
    told = entities([*before, early], GEOGRAPHY)
    assert [entity["residents_seen"]["value"] for entity in told] == [9, 9]


def test_care_says_nothing_but_what_is_listed():
    (entity,) = entities([row("care", "370202", residents_seen=900.0, temperature_sum=20.0)], GEOGRAPHY)
    assert not {"temperature_sum", "readings", "devices", "maskedAttributes"} & entity.keys()


def test_every_attribute_and_type_has_its_meaning_in_the_context():
    every = entities([row(domain, "370202", spaces=1.0) for domain in MEASURES], GEOGRAPHY)
    every += spots([SpotRow("a b/1", GRID, occupied=True, observed_at_ms=START_MS, simulated=True)])
    for entity in every:
        named = {entity["type"], *attributes(entity)} - {"location"}  # which is the core context's
        assert named <= CONTEXT["@context"].keys()
    assert every[-1]["id"] == "urn:ngsi-ld:ParkingSpot:taishi:a%20b%2F1"


def test_forms():
    (entity,) = entities([PARKING], GEOGRAPHY)
    assert shown(entity, "simplified")["availableSpotNumber"] == 3
    assert shown(entity, "simplified")["within"].startswith("urn:ngsi-ld:")
    concise = shown(entity, "concise")
    assert concise["availableSpotNumber"] == {"value": 3, "observedAt": "2025-11-23T04:31:00.000Z"}
    assert (concise["level"], concise["within"].keys()) == ("grid", {"object"})
    assert shown(entity, "normalized") is entity


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("availableSpotNumber>=3", True),
        ('level=="grid";occupancy<0.5', False),
        ('level=="grid;|"', False),
        ("simulated==false", True),
        ("simulated!=0", True),
        ("maskedAttributes", False),
        ('level>3;level=="grid"', False),
    ],
)
def test_q(q, found):
    query = parsed({"q": q})
    assert bool(select(query, entities([PARKING], GEOGRAPHY))) is found


def test_attributes_and_types_may_be_said_in_full():
    query = parsed({
        "type": "https://smartdatamodels.org/dataModel.Parking/OffStreetParking",
        "attrs": "occupancy",
    })  # fmt: skip
    (entity,) = select(query, entities([PARKING], GEOGRAPHY))
    assert entity.keys() == {"id", "type", "occupancy"}


@pytest.mark.parametrize(
    ("parameters", "title"),
    [
        ({}, "BadRequestData"),
        ({"local": "perhaps"}, "BadRequestData"),
        ({"type": "T", "limit": "-1"}, "BadRequestData"),
        ({"type": "T", "limit": "0"}, "BadRequestData"),
        ({"type": "T", "limit": "1001"}, "TooManyResults"),
        ({"type": "T", "options": "sysAttrs"}, "BadRequestData"),
        ({"type": "T", "id": "370202"}, "BadRequestData"),
        ({"type": "T", "idPattern": "("}, "BadRequestData"),
        ({"type": "T", "idPattern": "(a+)+$"}, "BadRequestData"),
        ({"type": "T", "georel": "near;maxDistance==100"}, "OperationNotSupported"),
        ({"type": "T", "colour": "red"}, "InvalidRequest"),
        ({"q": "a==1|b==2"}, "OperationNotSupported"),
        ({"q": "a~=x"}, "OperationNotSupported"),
        ({"q": "==1"}, "BadRequestData"),
        ({"q": "a=={}"}, "BadRequestData"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_its_type(parameters, title):
    with pytest.raises(Problem) as refused:
        parsed(parameters)
    assert refused.value.title == title
    assert refused.value.document()["type"] == f"https://uri.etsi.org/ngsi-ld/errors/{title}"
