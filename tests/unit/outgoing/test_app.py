"""The doors for other platforms, asked over HTTP with a shelf of one's own."""

import asyncio

import httpx
import pytest
from defusedxml import ElementTree

from operations.influxql import UnavailableError
from operations.outgoing.app import Refusal, application
from operations.outgoing.entities import entities, spots
from operations.outgoing.geography import Geography
from operations.outgoing.rows import PlaceRow, SpotRow
from operations.outgoing.windows import WindowStore, WindowStoreSettings
from schemas.alerts import Alert
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer

GEOGRAPHY = Geography(PlaceRegistry(known_places("370202"), synthetic_layer("370202")))
NOW_MS = 1_763_872_200_000
GRIDS = GEOGRAPHY._places.grid_codes[:250]
ENTITIES = "/ngsi-ld/v1/entities"


class Shelf:
    """As many grids as are to be paged, one space and one alert."""

    down = ""

    def entities(self):
        if self.down:
            raise UnavailableError(self.down)
        values = {"spaces": 9.0, "occupied": 4.0, "unknown": 0.0, "occupancy": 4 / 9}
        rows = [PlaceRow("parking", "grid", grid, NOW_MS, 60, values) for grid in GRIDS]
        return entities(rows, GEOGRAPHY) + spots(
            [SpotRow("a b/1", GRIDS[0], True, NOW_MS, False, (120.3, 36.1))]
        )

    def alerts(self):
        return [
            Alert(id="a1", rule="signal.smoke", severity="life_safety", domain="security", level="grid",
                  place=GRIDS[0], onset_ms=NOW_MS, active=True, title="烟雾报警 smoke")
        ]  # fmt: skip


def admit(headers, scope, _address):
    if headers.get("authorization") == f"Bearer {scope}":
        return None
    return Refusal(401, "credential: received none, allowed: a token", {"WWW-Authenticate": "Bearer"})


@pytest.fixture
def shelf():
    return Shelf()


class Client:
    """Asks the application without a socket."""

    def __init__(self, app):
        self._app = app

    def request(self, method, path, headers=None, **given):
        async def ask():
            transport = httpx.ASGITransport(self._app)
            token = {"Authorization": "Bearer /ngsi-ld"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://door", headers=token
            ) as client:
                return await client.request(method, path, headers=headers, **given)

        return asyncio.run(ask())

    def get(self, path, **given):
        return self.request("GET", path, **given)


@pytest.fixture
def client(shelf):
    return Client(application(shelf, GEOGRAPHY, admit))


def problem(answer, status, title):
    assert answer.status_code == status, answer.text
    said = answer.json()
    assert said["type"] == f"https://uri.etsi.org/ngsi-ld/errors/{title}"
    assert said["title"] == title
    assert said["detail"]
    return said["detail"]


def test_entities_are_paged_and_counted(client):
    asked = {"type": "OffStreetParking", "count": "true", "limit": "200", "options": "keyValues"}
    first = client.get(ENTITIES, params=asked)
    assert first.status_code == 200
    assert first.headers["NGSILD-Results-Count"] == str(len(GRIDS))
    assert first.headers["Content-Type"] == "application/json"
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in first.headers["Link"]
    following = next(link["url"] for name, link in first.links.items() if name == "next")
    second = client.get(following)
    assert "next" not in second.links
    found = [each["id"] for each in first.json() + second.json()]
    assert found == sorted(f"urn:ngsi-ld:OffStreetParking:taishi:{grid}" for grid in GRIDS)
    assert first.json()[0]["availableSpotNumber"] == 5
    assert client.get(ENTITIES, params=asked | {"limit": "0"}).json() == []


def test_json_ld_has_its_context_within_and_the_context_is_there(client):
    answer = client.get(ENTITIES, params={"type": "ParkingSpot"}, headers={"Accept": "application/ld+json"})
    assert answer.headers["Content-Type"] == "application/ld+json"
    own, core = answer.json()[0]["@context"]
    assert core.startswith("https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context")
    terms = client.get(own).json()["@context"]
    assert terms["ParkingSpot"] == "https://smartdatamodels.org/dataModel.Parking/ParkingSpot"


@pytest.mark.parametrize("path", ["a%20b%2F1", "a%2520b%252F1"])
def test_an_entity_is_found_by_its_id_however_it_is_encoded(client, path):
    answer = client.get(f"{ENTITIES}/urn:ngsi-ld:ParkingSpot:taishi:{path}", params={"attrs": "status"})
    assert answer.json()["status"]["value"] == "occupied"
    assert answer.json().keys() == {"id", "type", "status"}


def test_types(client):
    assert client.get("/ngsi-ld/v1/types").json()["typeList"] == ["OffStreetParking", "ParkingSpot"]
    (_, spot) = client.get("/ngsi-ld/v1/types?details=true").json()
    assert "status" in spot["attributeNames"]
    assert client.get("/ngsi-ld/v1/types/ParkingSpot").json() == spot
    problem(client.get("/ngsi-ld/v1/types/Person"), 404, "ResourceNotFound")


@pytest.mark.parametrize(
    ("asked", "headers", "status", "title"),
    [
        ("", {}, 400, "BadRequestData"),
        ("?type=A&type=B", {}, 400, "BadRequestData"),
        ("?type=A&limit=5000", {}, 403, "TooManyResults"),
        ("?type=A&georel=near;maxDistance==5", {}, 422, "OperationNotSupported"),
        ("?type=A&x=1", {}, 400, "InvalidRequest"),
        ("?type=A", {"Accept": "text/csv"}, 406, "InvalidRequest"),
        ("?type=A", {"NGSILD-Tenant": "t"}, 404, "NonexistentTenant"),
        ("/370202", {}, 400, "BadRequestData"),
        ("/urn:ngsi-ld:X:1", {}, 404, "ResourceNotFound"),
        ("/urn:ngsi-ld:X:1?q=a", {}, 400, "InvalidRequest"),
    ],
)
def test_what_is_not_answered_is_a_problem_of_ngsi_ld(client, asked, headers, status, title):
    problem(client.get(ENTITIES + asked, headers=headers), status, title)


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(client, method):
    answer = client.request(method, ENTITIES)
    problem(answer, 405, "OperationNotSupported")
    assert answer.headers["Allow"] == "GET, HEAD"


def test_a_path_that_is_not_there_is_a_problem_too(client):
    problem(client.get("/ngsi-ld/v1/subscriptions"), 404, "ResourceNotFound")


def test_without_a_token_nothing_is_told_but_the_context(client):
    for path in (f"{ENTITIES}?type=A", "/ngsi-ld/v1/types", "/cap/alerts", "/cap/alerts/a1"):
        answer = client.get(path, headers={"Authorization": ""})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert client.get("/cap/alerts").status_code == 401
    assert client.get("/context.jsonld", headers={"Authorization": ""}).status_code == 200


def test_the_feed_leads_to_the_messages(client):
    token = {"Authorization": "Bearer /cap"}
    answer = client.get("/cap/alerts", headers=token)
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    link = ElementTree.fromstring(answer.content).find(".//{*}entry/{*}link").get("href")
    message = client.get(link, headers=token)
    assert message.headers["Content-Type"].startswith("application/cap+xml")
    assert ElementTree.fromstring(message.content).findtext("{*}identifier") == "a1"
    problem(client.get("/cap/alerts/none", headers=token), 404, "ResourceNotFound")


def test_what_cannot_be_read_now_is_said_with_when_to_ask_again(client, shelf):
    shelf.down = "InfluxDB: gone"
    answer = client.get(f"{ENTITIES}?type=OffStreetParking")
    assert problem(answer, 503, "InternalError") == "InfluxDB: gone"
    assert answer.headers["Retry-After"] == "5"
    assert client.get("/health").status_code == 503


def store(answer):
    settings = WindowStoreSettings("http://influx", "taishi", "", 60, keep_s=60)
    return WindowStore(settings, httpx.MockTransport(answer))


def test_influxdb_is_asked_once_for_many_and_tells_what_is_simulated():
    asked = []

    def answer(request):
        q = request.url.params["q"]
        asked.append(q)
        tags = {"level": "grid", "place": GRIDS[0]}
        found = {"tags": tags, "columns": ["time", "spaces", "occupancy"], "values": [[NOW_MS, 3, None]]}
        if "max(" in q:
            found = {"tags": tags, "columns": ["time", "max"], "values": [[0, 4.0]]}
        series = [found] if '"parking"' in q else []
        return httpx.Response(200, json={"results": [{"series": series} if series else {"statement_id": 0}]})

    windows = store(answer)
    (row,) = windows.rows()
    assert windows.rows() == [row]
    assert len(asked) == 8  # two a domain
    assert (row.place, row.values, row.simulated) == (GRIDS[0], {"spaces": 3.0}, True)
    windows.close()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(200, text="?"),
        httpx.Response(200, json={"results": [{"error": "x"}]}),
    ],
)
def test_an_influxdb_that_cannot_tell_is_unavailable(answer):
    windows = store(lambda _request: answer)
    with pytest.raises(UnavailableError):
        windows.rows()
    windows.close()
