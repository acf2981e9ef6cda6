"""The pages' server asked over HTTP, without a socket."""

import asyncio
import json
import threading

import httpx
import pytest

from operations.pages.app import Parts, application
from operations.pages.live.board import Board
from operations.pages.live.watch import Known, Watch
from operations.pages.reading.situation import Situation
from operations.pages.views.freshness import Pace
from operations.pages.views.outlines import Outlines
from tests.unit.pages.situations import GEOGRAPHY, GRIDS, PLACES, parking, rows

MAP = "/map/grid.geojson"


class Reader:
    """Knows one busy grid."""

    situation = Situation(now={"parking": rows("parking", {GRIDS[0]: parking(10.0, 9.0)})})

    def read_newest(self, _now_ms):
        return False

    def read_past(self, _places, _now_ms):
        pass

    def keep(self, _places):
        pass


@pytest.fixture
def app():
    board = Board()
    watch = Watch(board, Reader(), Known(PLACES, GEOGRAPHY, lambda: (), lambda _grid: ()), Pace(10, 5.0))
    board.wanted = watch.wake
    return application(Parts(board, watch, Outlines(PLACES, GEOGRAPHY), PLACES, (watch.run,)))


@pytest.fixture
def ask(app):
    """GET a path while the application lives, its reader running."""

    def asked(*paths, **given):
        async def within():
            transport = httpx.ASGITransport(app)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://pages") as client,
            ):
                await client.get("/state/district")
                return [await client.get(path, **given) for path in paths]

        return asyncio.run(within())

    return asked


def test_the_map_has_values_bands_and_its_datum(ask):
    (answer,) = ask(f"{MAP}?metric=parking.occupancy&datum=GCJ-02")
    assert answer.headers["content-type"] == "application/geo+json"
    found = answer.json()
    assert (found["crs"], found["metric"], len(found["features"])) == ("GCJ-02", "parking.occupancy", 573)
    assert found["features"][0]["properties"]["band"] == 4
    assert found["features"][1]["properties"]["band"] is None


def test_who_has_the_map_is_told_so_and_for_how_long_it_holds(ask):
    first, other = ask(MAP, f"{MAP}?metric=parking.occupancy")
    assert (first.headers["cache-control"], other.headers["cache-control"]) == ("max-age=300", "max-age=5")
    (again,) = ask(MAP, headers={"If-None-Match": f'"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    (changed,) = ask(MAP, headers={"If-None-Match": other.headers["etag"]})
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/map/house.geojson", "level: received 'house', allowed: grid, community, street"),
        (f"{MAP}?metric=weather", "metric: received 'weather', allowed: parking.occupancy"),
        (f"{MAP}?datum=BD-09", "datum: received 'BD-09', allowed: WGS-84, GCJ-02"),
        ("/state/weather", "key: received 'weather', allowed: beat, district"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(ask, path, told):
    (answer,) = ask(path)
    assert answer.status_code == 400
    assert told in answer.json()["detail"]


def test_a_state_that_nobody_watches_is_made_when_it_is_asked_for(ask):
    (answer,) = ask(f"/state/place/{GRIDS[0]}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json()["domains"][0]["figures"][0]["text"] == "90.0%"


def test_pages_may_load_nothing_from_elsewhere(ask):
    (answer,) = ask("/ready")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


def live(app, path, headers=()):
    """The messages of a WebSocket until it is closed, or four have come; as (type, text or code)."""
    heard = []

    async def within():
        asked, four = asyncio.Queue(), asyncio.Event()
        await asked.put({"type": "websocket.connect"})

        async def send(message):
            kind = message["type"]
            heard.append((kind, message.get("text") or message.get("reason") or message.get("code")))
            if kind == "websocket.close" or len(heard) == 3:
                four.set()

        scope = {
            "type": "websocket",
            "path": path.partition("?")[0],
            "raw_path": path.encode(),
            "query_string": path.partition("?")[2].encode(),
            "headers": [(b"host", b"pages"), *headers],
            "subprotocols": [],
            "scheme": "ws",
            "server": ("pages", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        async with app.router.lifespan_context(app):
            serving = asyncio.ensure_future(app(scope, asked.get, send))
            await asyncio.wait_for(four.wait(), 10)
            await asked.put({"type": "websocket.disconnect", "code": 1000})
            await asyncio.wait_for(serving, 10)

    asyncio.run(within())
    return heard


def test_a_page_hears_the_frames_it_names(app):
    heard = live(app, "/live?keys=district,map/grid/parking.occupancy")
    assert heard[0][0] == "websocket.accept"
    assert {json.loads(text)["key"] for _, text in heard[1:]} == {"district", "map/grid/parking.occupancy"}


@pytest.mark.parametrize(
    ("path", "headers", "told"),
    [
        ("/live?keys=weather", (), "key: received 'weather'"),
        ("/live?keys=" + ",".join(["district"] * 13), (), "received '13 keys', allowed: up to 12"),
        ("/live?keys=district", ((b"origin", b"https://elsewhere.example"),), "origin: received"),
    ],
)
def test_another_sites_page_or_a_wrong_key_is_closed_with_the_reason(app, path, headers, told):
    heard = live(app, path, headers)
    assert heard[-1][0] == "websocket.close"
    assert told in heard[-1][1]


def test_a_thread_of_the_application_ends_with_it(app, ask):
    ask("/ready")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pages-")]
