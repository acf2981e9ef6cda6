"""A GA/T 1400 sender is told in its own words what became of each thing it sent."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.fuzz_payloads import CLASSES, spoiled
from connectors.base import Answering, Device, Message, Outcome, Rejected
from connectors.codecs import load_codecs
from connectors.gat1400 import decode
from connectors.gateway import Gateway
from connectors.http.app import HttpSettings, application
from connectors.producer import Record
from connectors.resolve import Resolver
from schemas.quarantine import Reason

GRID = "370202001001001"
CAMERA = "37020200001310000001"
DEVICES = {CAMERA: Device(CAMERA, "", "security.video_count", GRID, None, "", None, simulated=False)}
FACE = {"DeviceID": CAMERA, "FaceAppearTime": "20261123080000"}


class Log:
    def deliver(self, _records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        on_delivered()


class Places:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


def posted(body: Any, path: str = "/VIID/Faces", codec: Any = None, **options: Any) -> httpx.Response:
    codecs = {"gat1400": codec} if codec else load_codecs(["gat1400"], {"gat1400": options})
    gate = Gateway("http", codecs, DEVICES, Resolver(DEVICES, Places()), Log())  # type: ignore[arg-type]
    app = application(HttpSettings({path: "gat1400"}), gate)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door") as client:
            return await client.post(path, content=content)

    return asyncio.run(post())


def statuses(answer: httpx.Response) -> list[tuple[str, Any]]:
    assert answer.headers["content-type"] == "application/VIID+JSON;charset=UTF-8"
    said = answer.json()["ResponseStatusListObject"]["ResponseStatusObject"]
    return [(each["Id"], each["StatusCode"]) for each in said]


def faces(*objects: Any) -> dict[str, Any]:
    return {"FaceListObject": {"FaceObject": list(objects)}}


def notification(name: str, *objects: Any) -> dict[str, Any]:
    return {
        "NotificationID": name,
        "TriggerTime": "20261123080000",
        "FaceObjectList": {"FaceObject": [*objects]},
    }


def test_every_object_that_is_in_the_log_is_told_0() -> None:
    answer = posted(faces(FACE | {"FaceID": "f1"}, FACE | {"FaceID": "f2"}))
    assert answer.status_code == 200
    assert statuses(answer) == [("f1", "0"), ("f2", "0")]
    (first, _) = answer.json()["ResponseStatusListObject"]["ResponseStatusObject"]
    assert first["RequestURL"] == "/VIID/Faces"
    assert first["StatusString"] == "OK"
    assert len(first["LocalTime"]) == 14


def test_a_notification_is_told_once_by_its_own_id() -> None:
    several = [notification("n1", FACE, FACE), notification("n2", FACE, FACE | {"FaceAppearTime": "soon"})]
    body = {"SubscribeNotificationListObject": {"SubscribeNotificationObject": several}}
    answer = posted(body, "/VIID/SubscribeNotifications")
    assert answer.status_code == 200
    assert statuses(answer) == [("n1", "0"), ("n2", "8")]


def test_what_is_not_json_is_told_7_and_kept() -> None:
    answer = posted(b'{"FaceListObject": ')
    assert (answer.status_code, statuses(answer)) == (422, [("", "7")])


def test_a_device_that_nobody_registered_is_told_of_all_objects() -> None:
    answer = posted(faces(FACE | {"DeviceID": "other", "FaceID": "f1"}))
    assert (answer.status_code, statuses(answer)) == (422, [("f1", "1")])


def test_a_message_of_nothing_is_told_0() -> None:
    assert statuses(posted(faces())) == [("", "0")]


def test_codes_are_numbers_for_senders_that_want_them() -> None:
    assert statuses(posted(faces(FACE | {"FaceID": "f1"}), status_numbers=True)) == [("f1", 0)]


def test_formats_without_words_of_their_own_get_ours() -> None:
    assert not isinstance(load_codecs(["native"], {})["native"], Answering)


def test_a_fault_in_an_answer_is_told_in_our_words() -> None:
    class Broken(decode.Gat1400Codec, frozen=True):
        def answer(self, *_given: object) -> Any:
            raise ZeroDivisionError

    answer = posted(faces(FACE), codec=Broken())
    assert (answer.status_code, answer.json()) == (202, {"readings": 1, "signals": 0})


@pytest.mark.parametrize("kind", CLASSES)
def test_whatever_comes_there_is_an_answer(kind: str) -> None:
    folder, rng, codec = Path(decode.__file__).parent, random.Random(kind), decode.Gat1400Codec()
    good = [path.read_bytes() for path in (*folder.glob("sample.*"), *folder.glob("testcases/*/input.*"))]
    for _ in range(100):
        message = Message(spoiled(rng.choice(good), kind, rng), "/VIID/Faces", 1_795_392_000_000)
        for outcome in (Outcome(1, 0, None), Outcome(0, 0, Rejected(Reason.MALFORMED, "x"))):
            assert codec.answer(message, outcome).status in {200, 422}
