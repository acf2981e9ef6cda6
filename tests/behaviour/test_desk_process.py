"""`taishi desk serve` as a process: nobody's desk does not start; an alert on the topic reaches a page."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import msgspec
import pyotp
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from schemas.acts import Act
from schemas.alerts import Alert, alert_id
from schemas.topics import ACTS, ALERTS

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

PASSWORD = "correct horse battery"  # noqa: S105 - of a test
GRID = "370202001001001"


@pytest.fixture
def own(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The shared stack with a desk's database of this test's own."""
    monkeypatch.setitem(stack.environment, "TAISHI_OPERATIONS_DATABASE", f"sqlite:///{tmp_path / 'desk.db'}")
    return stack


def add(stack: Stack, identity: str, role: str) -> str:
    """Somebody new; returns the secret of their second factor."""
    words = ("people", "add", identity, "--role", role, "--password-stdin", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "taishi.cli.main", *words],
        env=stack.environment,
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    secret: str = json.loads(done.stdout)["totp_secret"]
    return secret


def test_a_desk_of_nobody_does_not_start_and_says_how_to_begin(own: Stack) -> None:
    done = own.run("desk", "serve", timeout_s=60)
    assert done.returncode == 1
    assert "no default password" in done.stderr
    assert "taishi people add" in done.stderr


def test_an_alert_on_the_topic_reaches_an_open_page_and_an_acknowledgement_too(
    own: Stack, tmp_path: Path
) -> None:
    secret = add(own, "wang", "shift_leader")
    log = tmp_path / "desk.log"
    desk = own.start("desk", "serve", log=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{own.settings.desk_port}", timeout=30) as client:
            while not _healthy(client):
                assert desk.poll() is None, log.read_text("utf-8")
            asked = {
                "id": "wang",
                "password": PASSWORD,
                "code": pyotp.TOTP(secret).now(),
                "terminal": "phone",
            }
            assert client.post("/api/session", json=asked).status_code == 200
            onset_ms = time.time_ns() // 1_000_000
            alert = Alert(
                id=alert_id("signal.fire", GRID, onset_ms, "desk-process"), rule="signal.fire",
                severity="life_safety", domain="security", level="grid", place=GRID, onset_ms=onset_ms,
                active=True, title="烟感报警 smoke", revision=1,
            )  # fmt: skip
            found = _until(client, alert, own.kafka_bootstrap)
            assert found["title"] == alert.title
            client.post(f"/api/alerts/{alert.id}/acknowledge", json={"why": "去看"}).raise_for_status()
            again = client.post(f"/api/alerts/{alert.id}/acknowledge", json={})
            assert "already acknowledged by wang" in again.json()["detail"]
            opened = client.post(f"/api/alerts/{alert.id}/case", json={}).json()
            keys = {f"alert:{alert.id}", opened["case"]["case"]["id"]}
            acts = _acts(own.kafka_bootstrap, keys, since_ms=onset_ms)
            # Order is kept of each alert and of each case, not between them.
            assert sorted((act.verb, act.by) for act in acts) == [("acknowledge", "wang"), ("open", "wang")]
    finally:
        desk.terminate()
        ended = desk.wait(30)
    assert ended == 0, "its loops end before it does"
    assert "the record holds: 4 entries" in own.run("audit", "verify").stdout


def _acts(bootstrap: str, of: set[str], since_ms: int) -> list[Act]:
    """The acts of these, read until each is there: `alert:` and an alert's id, or a case's id.

    The topic is shared with other tests' desks, each of which numbers its cases from one: theirs are older.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "desk-process-acts"})
    consumer.assign([TopicPartition(ACTS, 0, OFFSET_BEGINNING)])
    found: list[Act] = []
    while {act.case or f"alert:{act.alert}" for act in found} != of:
        for message in consumer.consume(100, 1.0):
            assert message.error() is None
            act = msgspec.json.decode(message.value() or b"", type=Act)
            ours = act.at_ms >= since_ms and (act.case or f"alert:{act.alert}") in of
            found += [act] if ours else []
    consumer.close()
    return found


def _healthy(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def _until(client: httpx.Client, alert: Alert, bootstrap: str) -> dict[str, str]:
    """Publish the alert when the page's list has come, and read until it is told."""
    producer = Producer({"bootstrap.servers": bootstrap})
    with client.stream("GET", "/api/events") as answer:
        for line in answer.iter_lines():
            if line == "event: listed":
                producer.produce(ALERTS, msgspec.json.encode(alert), key=alert.id)
                assert producer.flush(30) == 0
            if line.startswith("data: ["):
                for each in json.loads(line.removeprefix("data: ")):
                    if each["id"] == alert.id:
                        found: dict[str, str] = each
                        return found
    raise AssertionError("the stream ended")
