"""ThingPark, The Things Stack, SenML and CloudEvents through the HTTP door, down to the log's records."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec
import pytest

from connectors.base import Device
from connectors.codecs import load_codecs
from connectors.gateway import Gateway
from connectors.http.app import HttpSettings, application
from connectors.producer import Record
from connectors.resolve import Resolver
from schemas.readings import Reading

GRID = "370202001001001"
EUI = "0004a30b001c0001"
NAMES = ("tts", "thingpark", "senml", "cloudevents")
DEVICES = {
    EUI: Device(EUI, "bosch.tps110", "parking.space", GRID, None, "", None, simulated=False),
    "bay-7": Device("bay-7", "", "parking.space", GRID, None, "", None, simulated=False),
}
UPLINK = {"f_port": 1, "f_cnt": 7, "frm_payload": "AQ==", "received_at": "2026-11-23T00:00:00Z"}
REPORT = {"DevEUI": EUI.upper(), "Time": "2026-11-23T08:00:00+08:00", "FPort": "1", "FCntUp": "7",
          "payload_hex": "01"}  # fmt: skip
READING = {"device": "bay-7", "kind": "parking.space", "metric": "occupied", "value": 1,
           "observed_at": "2026-11-23T00:00:00Z"}  # fmt: skip
ATTRIBUTES = {
    "ce-specversion": "1.0",
    "ce-id": "e-1",
    "ce-source": "/city/%E5%B8%82",
    "ce-type": "taishi.reading",
}


class Log:
    """Confirms at once what it is given."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def deliver(self, records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        self.records += records
        on_delivered()


class Places:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


def posted(path: str, body: Any, headers: dict[str, str]) -> tuple[int, list[Reading]]:
    log = Log()
    gate = Gateway("http", load_codecs(NAMES, {}), DEVICES, Resolver(DEVICES, Places()), log)  # type: ignore[arg-type]
    app = application(HttpSettings({f"/{name}": name for name in NAMES}), gate)

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door") as client:
            return await client.post(path, content=json.dumps(body), headers=headers)

    status = asyncio.run(post()).status_code
    return status, [msgspec.json.decode(each.value, type=Reading) for each in log.records]


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/tts", {"end_device_ids": {"dev_eui": EUI.upper()}, "uplink_message": UPLINK}, {}),
        ("/thingpark", {"DevEUI_uplink": REPORT}, {}),
        ("/senml", [{"n": "bay-7", "vb": True, "t": 1_795_392_000}], {}),
        ("/cloudevents", READING, ATTRIBUTES | {"content-type": "application/json"}),
        (
            "/cloudevents",
            {name.removeprefix("ce-"): value for name, value in ATTRIBUTES.items()} | {"data": READING},
            {"content-type": "application/cloudevents+json"},
        ),
    ],
    ids=["tts", "thingpark", "senml", "cloudevents binary", "cloudevents structured"],
)
def test_a_posted_message_is_a_reading_in_the_log(path: str, body: Any, headers: dict[str, str]) -> None:
    status, (reading,) = posted(path, body, headers)
    assert status == 202
    assert (reading.grid, reading.metric, reading.value) == (GRID, "occupied", 1.0)
    assert reading.observed_at_ms == 1_795_392_000_000
    assert reading.source == f"http.{path[1:]}"
