"""A district at a moment, for the tests of the pages' views."""

from operations.outgoing.geography import Geography
from operations.outgoing.rows import PlaceRow
from operations.pages.reading.situation import Situation
from operations.pages.views.cells import Cells
from schemas.alerts import Alert
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer

PLACES = PlaceRegistry(known_places("370202"), synthetic_layer("370202"))
GEOGRAPHY = Geography(PLACES)
DISTRICT = PLACES.place("370202")
NOW_MS = 1_795_763_460_000  # Friday 2026-11-27 15:11:00 in Shinan
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
GRIDS = PLACES.grid_codes


def row(domain, place, values, start_ms=NOW_MS - 20_000, window_s=10, simulated=False):
    level = PLACES.place(place).level
    return PlaceRow(domain, level, place, start_ms, window_s, values, simulated)


def rows(domain, values_of, **given):
    """Place -> its row, for places with values."""
    return {place: row(domain, place, values, **given) for place, values in values_of.items()}


def parking(spaces, occupied, unknown=0.0):
    known = spaces - unknown
    values = {"spaces": spaces, "occupied": occupied, "unknown": unknown}
    return values | ({"occupancy": occupied / known} if known else {})


def alert(number, place, **given):
    settings = {
        "rule": "signal.smoke",
        "severity": "high",
        "domain": "security",
        "level": "grid",
        "active": True,
    }
    return Alert(
        **(
            {"id": f"a{number}", "place": place, "onset_ms": NOW_MS - number, "title": "烟雾报警 smoke"}
            | settings
            | given
        )
    )


def cells(**given):
    return Cells(Situation(**given), GEOGRAPHY, PLACES)
