"""S1, the canaries: who is named at the doors, and in the register, is afterwards on no byte of the disk.

Names, cards, plates, telephone and identity numbers, addresses, coordinates of dwellings, each made up, with
a mark in it; `tests/security/hunt.py` looks for the marks however they are coded or packed. A tenth of the
thousand in `make test`, all of them in `make test-security`.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click
import httpx
import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, TopicPartition

from connectors.registry import COLUMNS
from schemas.topics import TOPICS
from taishi.cli.backup import backup
from taishi.cli.residents import residents
from tests.security.hunt import Hunt

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
MARK = "62220913"
"""Eight digits that stand in no other number: of every telephone, card, address and coordinate below."""
HUNT = Hunt((NAME, CARD, PLATE, PHONE, RESIDENT, MARK))
DOOR = "44:19:b6:0c:a9:a1/1"


def access(device: str, name: str = NAME, card: str = CARD, phone: str = PHONE) -> bytes:
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
                "name": name, "cardNo": card, "employeeNoString": phone,
            },
        },
        ensure_ascii=False,
    ).encode()  # fmt: skip


def pulse(code: str = "8867-4", resident: str = RESIDENT, name: str = NAME) -> bytes:
    """A FHIR heart rate of a resident; another code is not taken."""
    return json.dumps(
        {
            "resourceType": "Observation", "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": f"Patient/{resident}", "display": name},
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


def dwelling(number: int) -> bytes:
    """A bed's reading with where it stands: the grid is kept, the point and the address are not."""
    return json.dumps(
        {
            "device": f"bed-{number}", "kind": "care.vitals", "metric": "pulse", "value": 70,
            "observed_at_ms": time.time_ns() // 1_000_000,
            "longitude": float(f"120.38{MARK}{number % 100:02}"),
            "latitude": float(f"36.06{MARK}{number % 100:02}"),
            "crs": "WGS-84", "address": f"香港中路 {MARK}{number} 号", "id_card": f"3702{MARK}{number:06}",
        },
        ensure_ascii=False,
    ).encode()  # fmt: skip


def canaries(count: int) -> list[tuple[str, bytes]]:
    """As many messages, each naming somebody of its own; every codec's way in, taken and refused."""
    made = []
    for number in range(count):
        name, phone = f"{NAME}{number}", f"1{30 + number % 60}{MARK}"
        made.append(
            (
                ("/hikvision", access(DOOR, name, f"{MARK}{number}", phone)),
                ("/hikvision", access(f"44:19:b6:fe:{number % 256:02x}:00", name, f"{MARK}{number}", phone)),
                ("/fhir", pulse("8867-4", f"{MARK}{number}", name)),
                ("/readings", dwelling(number)),
                ("/readings", f'{{"device": "{name}", "phone": {phone}'.encode("gb18030")),
                ("/senml", f'[{{"n": "{name}", "u": "{phone}", "v": 1}}]'.encode()),
                ("/VIID/Faces", f'{{"FaceListObject": {{"IDNumber": "3702{MARK}{number:06}"}}}}'.encode()),
                ("/fiware", f'{{"id": "urn:{phone}", "type": "Person", "name": "{name}"}}'.encode()),
            )[number % 8]
        )
    return made


def sent(url: str, messages: list[tuple[str, bytes]]) -> list[httpx.Response]:
    """The door's answers."""
    with httpx.Client(timeout=40) as client, ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda each: client.post(url + each[0], content=each[1]), messages))


@pytest.fixture(scope="session")
def canary_count() -> int:
    """A tenth of the thousand, or the share that is asked for."""
    return round(1000 * float(os.environ.get("TAISHI_SECURITY_SHARE", "0.1")))


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
        deadline_s = time.monotonic() + 120
        while "http listening" not in log.read_text(encoding="utf-8"):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline_s
            threading.Event().wait(0.1)
        yield f"http://127.0.0.1:{stack.settings.http_port}"
        process.terminate()
    assert HUNT.within(log.read_bytes()) == [], "the connector's log names somebody"


def everything_on(bootstrap: str, topic: str) -> bytes:
    """All keys, headers and values of a topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "privacy", "log_level": 0})
    said = list[bytes]()
    try:
        for number in range(TOPICS[topic].partitions):
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=20)
            consumer.assign([TopicPartition(topic, number, low)])
            while consumer.position([TopicPartition(topic, number)])[0].offset < high and low < high:
                message = consumer.poll(10)
                assert message is not None
                assert message.error() is None
                said += [value for _, value in message.headers() or []]
                said += [message.key() or b"", message.value() or b""]
    finally:
        consumer.close()
    return b"".join(said)


def test_what_people_are_called_is_on_no_byte_of_the_disk(
    stack: Stack, url: str, tmp_path: Path, canary_count: int
) -> None:
    answers = [httpx.post(url + path, content=body, timeout=40) for path, body, _ in MESSAGES]
    assert [answer.status_code for answer in answers] == [status for *_, status in MESSAGES]
    assert HUNT.within(b"".join(answer.content for answer in answers)) == []
    others = sent(url, canaries(canary_count))
    assert {answer.status_code for answer in others} == {200, 202, 422}  # 200: GA/T 1400's own answer
    log = {topic: everything_on(stack.kafka_bootstrap, topic) for topic in TOPICS}
    assert {topic: found for topic, data in log.items() if (found := HUNT.within(data))} == {}
    assert b"access" in log["readings.security"], "what was taken is there"
    assert log["quarantine"].count(b"taishi-seal") >= 6 + canary_count // 4, (
        "what was refused is there, sealed"
    )
    image = tmp_path / "image"
    told = entered_and_backed_up(stack, tmp_path / "people.csv", image, canary_count)
    assert HUNT.within(told.encode()) == []
    for folder in (stack.settings.home, image):
        assert HUNT.on(folder) == {}
        taken = Hunt((DOOR,)).on(folder / "data" / "kafka")
        assert any("/readings.security-" in path for path in taken), "the hunter opens what is packed"


def entered_and_backed_up(stack: Stack, people: Path, image: Path, count: int) -> str:
    """What is printed when residents enter the register, and a running installation is backed up."""
    rows = [
        f"{MARK}{n},{NAME}{n},1{30 + n % 60}{MARK},香港中路 {MARK}{n} 号,{NAME}女儿" for n in range(count)
    ]
    people.write_text("\n".join(["identity,name,telephone,address,contact", *rows]))
    register = stack.settings.home / "residents.json"
    environment = stack.environment | {"TAISHI_RESIDENTS_FILE": str(register)}
    asked: list[tuple[click.Command, list[str]]] = [
        (residents, ["import", str(people)]),
        (residents, ["list"]),
        (residents, ["check"]),
        (backup, [str(image), "--vault-key", str(image.with_suffix(".key"))]),
    ]
    done = [CliRunner().invoke(command, words, env=environment) for command, words in asked]
    assert [each.exit_code for each in done] == [0, 0, 0, 0], [each.output for each in done]
    assert register.stat().st_size > 100 * count, "who was entered is there, sealed"
    assert (image / "data" / "operations.db").is_file()
    return "".join(each.output for each in done)


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
    assert HUNT.within(shown.encode()) == []
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
