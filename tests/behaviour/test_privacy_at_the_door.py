"""The canary of privacy: names sent in every form to the doors are afterwards on no byte of the disk."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition

from connectors.registry import COLUMNS
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

GRID = "370202001001001"
NAME, CARD, PLATE, PHONE, RESIDENT = (
    "欧阳金丝雀",
    "canary62220001",
    "鲁BCANARY",
    "13900007788",
    "canary-resident-9",
)
TOKENS = [
    text.encode(code)
    for text in (NAME, CARD, PLATE, PHONE, RESIDENT)
    for code in ("utf-8", "gb18030", "utf-16-le")
]
DOOR = "44:19:b6:0c:a9:a1/1"


def access(device: str) -> bytes:
    """A Hikvision door event that names who passed, with card and number."""
    return json.dumps(
        {
            "macAddress": device.partition("/")[0],
            "channelID": 1,
            "dateTime": time.strftime("%Y-%m-%dT%H:%M:%S+08:00", time.gmtime(time.time() + 8 * 3600)),
            "eventType": "AccessControllerEvent",
            "eventState": "active",
            "AccessControllerEvent": {
                "majorEventType": 5, "subEventType": 75, "doorNo": 1, "serialNo": 7,
                "name": NAME, "cardNo": CARD, "employeeNoString": PHONE,
            },
        },
        ensure_ascii=False,
    ).encode()  # fmt: skip


def pulse(code: str = "8867-4") -> bytes:
    """A FHIR heart rate of a resident; another code is not taken."""
    return json.dumps(
        {
            "resourceType": "Observation", "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": f"Patient/{RESIDENT}", "display": NAME},
            "effectiveDateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "valueQuantity": {"value": 70, "code": "/min"},
        },
        ensure_ascii=False,
    ).encode()  # fmt: skip


MESSAGES = [
    ("/hikvision", access(DOOR), 202),  # taken: the passage counts, who passed does not
    ("/hikvision", access("44:19:b6:ff:ff:ff"), 422),  # a device nobody registered
    ("/hikvision", access(DOOR)[:-3], 422),  # cut
    ("/hikvision", f"<EventNotificationAlert><licensePlate>{PLATE}</licensePlate>".encode(), 422),
    ("/fhir", pulse(), 202),  # registered by pseudonym
    ("/fhir", pulse("99999-9"), 422),
    ("/readings", f'{{"name": "{NAME}"'.encode("gb18030"), 422),
    ("/readings", f"{NAME} {PHONE}".encode("utf-16-le"), 422),
]


@pytest.fixture(scope="module")
def url(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An HTTP door whose registry knows the door, and the resident by a pseudonym only."""
    made = stack.run("keys", "create")
    assert made.returncode == 0, made.stderr
    (who,) = json.loads(stack.run("keys", "pseudonym", f"Patient/{RESIDENT}", "--json").stdout)
    rows = [
        ",".join(COLUMNS),
        f"{DOOR},,security.access,{GRID},,,,,,true",
        f"{who},,care.vitals,{GRID},,,,{who},,true",
    ]
    (stack.settings.home / "devices.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    log = tmp_path_factory.mktemp("privacy") / "http.log"
    process: subprocess.Popen[bytes]
    with stack.start("connect", "http", log=log) as process:
        deadline_s = time.monotonic() + 30
        while "http listening" not in log.read_text(encoding="utf-8"):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline_s
            threading.Event().wait(0.1)
        yield f"http://127.0.0.1:{stack.settings.http_port}"
        process.terminate()
    assert not any(token in log.read_bytes() for token in TOKENS), "the connector's log names somebody"


def everything_on(bootstrap: str, topic: str) -> bytes:
    """All keys, headers and values of a topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "privacy", "log_level": 0})
    said = b""
    try:
        for number in range(TOPICS[topic].partitions):
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=20)
            consumer.assign([TopicPartition(topic, number, low)])
            while consumer.position([TopicPartition(topic, number)])[0].offset < high and low < high:
                message = consumer.poll(10)
                assert message is not None
                assert message.error() is None
                said += repr(message.headers()).encode() + (message.key() or b"") + (message.value() or b"")
    finally:
        consumer.close()
    return said


def names_somebody(data: bytes) -> list[bytes]:
    return [token for token in TOKENS if token in data]


def test_what_people_are_called_is_on_no_byte_of_the_disk(stack: Stack, url: str) -> None:
    answers = [httpx.post(url + path, content=body, timeout=40) for path, body, _ in MESSAGES]
    assert [answer.status_code for answer in answers] == [status for *_, status in MESSAGES]
    assert [names_somebody(answer.content) for answer in answers] == [[]] * len(MESSAGES)
    log = {topic: everything_on(stack.kafka_bootstrap, topic) for topic in TOPICS}
    assert {topic: names_somebody(data) for topic, data in log.items()} == {topic: [] for topic in TOPICS}
    assert b"access" in log["readings.security"], "what was taken is there"
    assert log["quarantine"].count(b"taishi-seal") >= 6, "what was refused is there, sealed"
    files = [path for path in stack.settings.home.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if names_somebody(Path(path).read_bytes())] == []


def test_with_the_keys_the_original_is_shown_masked_and_written_whole(
    stack: Stack, url: str, tmp_path: Path
) -> None:
    body = access("44:19:b6:ee:ee:ee")
    assert httpx.post(f"{url}/hikvision", content=body, timeout=40).status_code == 422
    listed = json.loads(stack.run("quarantine", "list", "--source", "http.hikvision", "--json").stdout)
    at = listed[-1]["position"]
    done = stack.run("quarantine", "show", at, "--raw", str(tmp_path / "raw"))
    assert done.returncode == 0, done.stderr
    shown = done.stdout
    assert '"macAddress"' in shown
    assert not names_somebody(shown.encode())
    assert (tmp_path / "raw").read_bytes() == body


def test_without_the_keys_nothing_opens(stack: Stack, url: str, tmp_path: Path) -> None:
    assert httpx.post(f"{url}/hikvision", content=b"<", timeout=40).status_code == 422
    listed = json.loads(stack.run("quarantine", "list", "--source", "http.hikvision", "--json").stdout)
    keys = stack.settings.home / "keys.json"
    hidden = keys.rename(tmp_path / "keys.json")
    try:
        refused = stack.run("quarantine", "show", listed[-1]["position"], "--raw", str(tmp_path / "raw"))
    finally:
        hidden.rename(keys)
    assert refused.returncode == 1
    assert "no keys file on this machine" in refused.stderr
    assert not (tmp_path / "raw").exists()
