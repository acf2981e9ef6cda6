"""The desk on the real stack: an outage rings once, a storm is a digest, what people hide is hidden."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from confluent_kafka import Producer
from msgspec.structs import replace

from schemas.alerts import Alert
from schemas.topics import ALERTS
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

LIMIT_S = 60.0
STREET = "370202031"
ONSET = time.time_ns() // 1_000_000
CHILD = Alert(
    id="", rule="device.silent", severity="high", domain="parking", level="device", place=f"{STREET}001001",
    onset_ms=ONSET, active=True, title="设备失联 silent",
)  # fmt: skip
PARENT = replace(
    CHILD, id="people-parent", rule="storm.silent", cause="device.silent", children=60, level="street",
    place=STREET, title="片区断联 outage",
)  # fmt: skip
CHILDREN = [replace(CHILD, id=f"people-child-{n}", device=f"people-{n}") for n in range(60)]
STORM = [
    replace(CHILD, id=f"people-storm-{n}", rule="signal.intrusion", device=f"cam-{n}", title="入侵 intrusion")
    for n in range(40)
]
SOS = replace(
    CHILD,
    id="people-sos",
    rule="signal.sos",
    severity="life_safety",
    latched=True,
    title="紧急呼救 SOS",
    device="s1",
)


class Hook:
    """A webhook: the titles it was told."""

    def __init__(self) -> None:
        self.got: list[str] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.got.append(said["title"])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def count(self, words: str) -> int:
        return sum(words in title for title in self.got)


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()
    made.thread.join()


@pytest.fixture(scope="module")
def served(stack: Stack, hook: Hook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("people")
    file = folder / "oncall.toml"
    route = f'[[routes]]\nname = "x"\nplace = "{STREET}"\nsteps = [{{ people = ["值班员"] }}]\n'
    address = f"json://127.0.0.1:{hook.server.server_address[1]}/"
    file.write_text(f'[people]\n"值班员" = ["{address}"]\n{route}', "utf-8")
    before = stack.environment.get("TAISHI_ONCALL_FILE")
    stack.environment["TAISHI_ONCALL_FILE"] = str(file)
    process: subprocess.Popen[bytes] = stack.start("oncall", "serve", log=folder / "oncall.log")
    yield stack
    process.kill()
    process.wait()
    if before is None:
        del stack.environment["TAISHI_ONCALL_FILE"]


def write(stack: Stack, *alerts: Alert) -> None:
    producer = Producer({"bootstrap.servers": stack.kafka_bootstrap})
    for alert in alerts:
        producer.produce(ALERTS, msgspec.json.encode(alert), alert.id)
    assert producer.flush(LIMIT_S) == 0


def said(stack: Stack, *words: str) -> Any:
    done = stack.run("alerts", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def listed(stack: Stack, *words: str) -> list[str]:
    return [each["id"] for each in said(stack, "list", "--place", STREET, *words)]


def test_an_outage_rings_once_and_stands_for_its_children_until_it_is_over(served: Stack, hook: Hook) -> None:
    write(served, PARENT, *CHILDREN)
    wait_until(lambda: hook.count("片区断联"))
    write(served, *(replace(each, active=False, cleared_ms=ONSET + 1, revision=1) for each in CHILDREN[1:]))
    assert listed(served) == [PARENT.id]
    write(served, replace(PARENT, active=False, cleared_ms=ONSET + 1, revision=1))
    wait_until(lambda: hook.count("设备失联"))
    assert (hook.count("片区断联"), hook.count("设备失联")) == (1, 1)
    assert listed(served) == [CHILDREN[0].id]


def test_a_person_shelves_it_and_when_that_is_ended_it_rings_again(served: Stack, hook: Hook) -> None:
    child, rang = CHILDREN[0].id, hook.count("设备失联")
    who = ("--why", "换电池", "--by", "值班员")
    said(served, "shelve", child, "--for", "2h", *who)
    assert listed(served) == []
    refused = served.run("alerts", "shelve", child, "--for", "1h", "--why", "x", "--by", "李强")
    assert (refused.returncode, "already shelved by 值班员" in refused.stderr) == (1, True)
    assert [each["why"] for each in said(served, "hidden")["hidings"]] == ["换电池"]
    said(served, "unshelve", child, "--by", "值班员")
    assert listed(served) == [child]
    wait_until(lambda: hook.count("设备失联") == rang + 1)


def test_a_storm_is_ten_messages_and_a_digest_and_life_safety_still_rings(served: Stack, hook: Hook) -> None:
    write(served, *STORM)
    wait_until(lambda: hook.count("告警洪峰"))
    write(served, SOS)
    wait_until(lambda: hook.count("紧急呼救"))
    assert hook.count("入侵") - hook.count("告警洪峰") <= 10
    report = said(served, "kpis", "--since", "1h", "--console", "值班员")["reports"][0]
    assert report["annunciated"] >= len(STORM) + 1
    assert {kpi["name"]: kpi["verdict"] for kpi in report["kpis"]}["K6"] == "over"


def test_life_safety_takes_two_people_to_shelve_and_leaves_when_it_is_reset(served: Stack) -> None:
    alone = served.run("alerts", "shelve", SOS.id, "--for", "1h", "--why", "x", "--by", "值班员")
    assert (alone.returncode, "single person" in alone.stderr) == (1, True)
    said(served, "ack", SOS.id, "--by", "值班员")
    write(served, replace(SOS, active=False, cleared_ms=ONSET + 5, revision=1))
    wait_until(lambda: served.run("alerts", "reset", SOS.id, "--by", "值班员").returncode == 0)
    assert SOS.id not in listed(served)
    told = said(served, "history", SOS.id)
    assert [each["what"] for each in told["transitions"]] == ["raised", "cleared", "acknowledge", "reset"]
