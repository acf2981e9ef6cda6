"""S7: hostile text in every id and text field stays text wherever it goes, and names no host that we ask.

Into readings and windows nothing gets that is no plain name: `tests/contract/test_fuzz.py`, class injection.
Into CAP: `tests/unit/outgoing/test_cap.py`.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from connectors.poll.client import PollTarget
from dashboards.influxql import matches, name, tag
from operations.cases.evaluate import Comparison, Figure, to_csv
from operations.cases.measures import MEASURES
from operations.cases.periods import parse_period
from operations.oncall.deliver import Delivery, deliver
from operations.oncall.load import parse_oncall
from operations.oncall.model import Person
from operations.people.audit import Said, first_broken
from operations.store.audit import AuditRows
from pipelines.kernels.annotations import annotation
from schemas.alerts import Alert
from schemas.errors import SettingsError
from taishi import logs
from taishi.status.month import COLUMNS, Month, month_csv

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = (
    "a,b=c", "a b", "a\nb", "a\r\nb", 'a"b', "a'b", "a\\", "\\", "a\\\nb", "#a", "a=1i",
    ",x=1 y=2i 3",
    "x\nalerts,rule=forged active=1i 1", '" ,active=1i', '\\",active=1i,title="',
    "'; DROP TABLE audit; --",
    "' OR '1'='1", "1; DROP DATABASE taishi", '" UNION SELECT 1', "') OR 1=1 --", "%' OR 1=1", "_%",
    "$timeFilter",
    "${place}", "/.*/", "; DROP MEASUREMENT care", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{7*7}}", "{{constructor.constructor('x')()}}", "${jndi:ldap://x/a}", "%s%n",
    "javascript:alert(1)", "&lt;",
    "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "=HYPERLINK(\"http://x\")", "\x1b[2J",
    "\x00", "\u2028", "\u202egnp", "http://169.254.169.254/", "//evil.example/x", "../../etc/passwd",
    "?a=b&c=d",
    "@evil.example", ":80#",
)  # fmt: skip
WAYS: tuple[Callable[[str], str], ...] = (
    str, lambda t: t * 2, lambda t: f" {t}", lambda t: f"{t}\n", lambda t: f"正常{t}", lambda t: t.upper(),
    quote, lambda t: f"{t}\\", lambda t: f'"{t}"', lambda t: f"{t}\x7f",
)  # fmt: skip
STRINGS = [way(text) for text in HOSTILE for way in WAYS]
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture
def some(sized: Callable[[int], int]) -> list[str]:
    """As many as the run has time for; each text at least once in some way."""
    assert len(STRINGS) >= 500
    return STRINGS[:: max(1, len(STRINGS) // max(sized(500), len(HOSTILE)))]


def points(text: str) -> list[tuple[str, set[str], set[str]]]:
    """Line protocol as its specification says: (measurement, tag keys, field keys) of each point."""
    key = r"(?:\\.|[^\\,= \n])+"
    value = r'(?:"(?:\\.|[^"\\])*"|[^", \n]+)'
    line = re.compile(
        rf"({key})((?:,{key}={key})*) ({key}={value}(?:,{key}={value})*) (\d+)(?:\n|$)", re.DOTALL
    )
    found, at = [], 0
    while at < len(text):
        point = line.match(text, at)
        assert point is not None, f"no point at {text[at : at + 80]!r}"
        tags = set(re.findall(rf",({key})={key}", point[2]))
        fields = {pair[0] for pair in re.findall(rf"({key})=({value})", point[3], re.DOTALL)}
        found.append((point[1], tags, fields))
        at = point.end()
    return found


def test_in_line_protocol_no_text_becomes_a_point_a_tag_or_a_field() -> None:
    alert = Alert(
        id="a", rule="signal.smoke", severity="high", domain="security", level="device", place="370202",
        onset_ms=7, active=True, title="烟感", explanation="浓度", device="d1", revision=1,
    )  # fmt: skip
    ((measurement, tags, fields),) = points(annotation(alert))
    assert (measurement, tags) == ("alerts", {"rule", "severity", "domain", "level", "place", "device"})
    for text in STRINGS:
        for field in ("rule", "place", "device", "title", "explanation", "id"):
            line = annotation(msgspec.structs.replace(alert, **{field: text}))
            assert points(line) == [(measurement, tags, fields)], (field, text)


def test_in_influxql_a_value_is_one_literal_or_refused() -> None:
    for text in STRINGS:
        for made, whole in ((tag, r"\"place\" = '[^'\\\n]*'"), (matches, r"\"place\" =~ /[^/]*/")):
            try:
                assert re.fullmatch(whole, made("place", text), re.DOTALL), text
            except SettingsError:
                continue
        with pytest.raises(SettingsError, match="allowed: letters, digits, _"):
            name(f"{text}'")


def test_in_sql_it_is_kept_and_found_as_it_came_and_the_record_holds(tmp_path: Path, some: list[str]) -> None:
    store = AuditRows(f"sqlite:///{tmp_path / 'desk.db'}")
    for number, text in enumerate(some):
        store.record(Said(at_ms=number, who=text[:100], terminal="x", what=text[:100], of=text, detail=text))
    for text in set(some):
        (*_, found) = store.newest(len(some), who=text[:100], what=text[:100], of=text)
        assert (found.said.of, found.said.detail) == (text, text)
    assert store.head().number == len(some)
    assert first_broken(store.entries()) == ""
    store.close()


def test_pages_put_no_text_into_html() -> None:
    """Vue and the pages' elements write text nodes; the desk's policy of contents forbids inline scripts."""
    files = [
        p for p in (ROOT / "operations").rglob("*") if p.suffix in {".js", ".html", ".py"} and p.is_file()
    ]
    ways = re.compile(
        r"v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment"
    )
    assert len(files) > 200
    assert [path.name for path in files if ways.search(path.read_text("utf-8"))] == []
    assert "script-src 'self' 'unsafe-eval'; style-src 'self'" in (
        ROOT / "operations" / "desk" / "client.py"
    ).read_text("utf-8")


def test_in_a_table_for_spreadsheets_it_is_one_cell_and_no_formula() -> None:
    measure = next(iter(MEASURES))
    figures = [Comparison(Figure(measure, of, ("c1",), (), (), "÷"), None, None) for of in STRINGS]
    text = to_csv(figures, parse_period("2026"), {of: of for of in STRINGS})
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert len(table) == len(STRINGS) + 1
    assert {len(row) for row in table} == {12}
    assert [row for row in table if row[3].startswith(FORMULA) or row[4].startswith(FORMULA)] == []
    counts = dict.fromkeys(("messages", "bad", "readings", "late", "duplicate", "silent"), 1.0) | {
        "clock_s": None
    }
    rows = [{"source": text, "vendor": text, **counts} for text in STRINGS]
    month = Month("2026-11", 0, 1)
    told = list(csv.reader(io.StringIO(month_csv(month, rows, [], 30.0), newline="")))
    assert {len(row) for row in told} == {len(COLUMNS)}
    assert len(told) == len(STRINGS) + 1
    assert [row for row in told if row[1].startswith(FORMULA) or row[2].startswith(FORMULA)] == []


def test_in_the_log_it_is_one_line_of_json() -> None:
    for text in STRINGS:
        event: object = {"event": text, "device": text, "level": "info"}
        for processor in logs._renderers(io.StringIO()):
            event = processor(None, "info", event)  # type: ignore[arg-type]
        assert "\n" not in str(event)
        assert json.loads(str(event)) == {"event": text, "device": text, "level": "info"}


class Receiver(HTTPServer):
    """Keeps what is posted; `sends_on`: where it sends who posts."""

    sends_on = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[str, str, str]] = []

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers["Host"], body.decode()))
        self.send_response(307 if self.server.sends_on else 200)
        if self.server.sends_on:
            self.send_header("Location", self.server.sends_on)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST  # noqa: N815 - the server's own name for it

    def log_message(self, *_: object) -> None:
        """Nothing: pytest's output is its own."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    with Receiver() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_a_webhook_goes_where_the_file_says_whatever_the_text(some: list[str]) -> None:
    with receiving() as receiver:
        person = Person("王芳", (f"json://{receiver.url}/hook",))
        for text in some:
            assert deliver(person, f"【高】{text}", f"开始 {text} 编号", text) == Delivery("json")
        assert {(path, host) for path, host, _ in receiver.got} == {("/hook", receiver.url)}
        assert len(receiver.got) == len(some)
        assert all(set(json.loads(body)) >= {"title", "message"} for *_, body in receiver.got)


def test_a_receiver_that_sends_us_on_has_not_taken_it_and_nobody_else_hears_it() -> None:
    with receiving() as receiver, receiving() as elsewhere:
        receiver.sends_on = f"http://{elsewhere.url}/latest/meta-data/"
        told = deliver(Person("王芳", (f"json://{receiver.url}/hook",)), "题", "文", "key")
        assert (told.channel, len(receiver.got), elsewhere.got) == ("", 1, [])
        assert told.problem


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "169.254.0.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518",
        "[fe80::1]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "100.100.100.200",
        "metadata.google.internal", "METADATA.google.internal.",
    ],
)  # fmt: skip
def test_nothing_is_sent_to_or_asked_of_link_local_and_metadata_addresses(host: str) -> None:
    with pytest.raises(SettingsError, match="allowed: any but link-local and metadata"):
        PollTarget(name="gate", url=f"http://{host}/latest", codec="onvif")
    routes = [{"name": "all", "steps": [{"people": ["王芳"]}]}]
    with pytest.raises(
        SettingsError, match=r"people\.王芳\[0\]: (received the host|received a 'json' address)"
    ):
        parse_oncall({"people": {"王芳": [f"json://{host}/x"]}, "routes": routes})
    assert PollTarget(name="gate", url="http://192.168.1.9/x", codec="onvif").name == "gate"


REBOUND = """
import json, socket, sys
from operations.oncall.deliver import deliver
from operations.oncall.model import Person
from taishi.outbound import guard_connections

looked_up, good, bad = [], sys.argv[1], sys.argv[2].split(",")
real = socket.getaddrinfo

def rebinding(host, port, *more, **named):
    '"An honest address at the first look, another one at every later one."'
    if host != "hook.example":
        return real(host, port, *more, **named)
    looked_up.append(host)
    return real("127.0.0.1" if len(looked_up) == 1 else bad[len(looked_up) % len(bad)], port, *more, **named)

socket.getaddrinfo = rebinding
guard_connections()
person = Person("王芳", (f"json://hook.example:{good}/hook",))
told = [deliver(person, "题", "文", f"key-{number}") for number in range(1 + len(bad))]
print(json.dumps([[(each.channel, each.problem) for each in told], len(looked_up)]))
"""


def test_a_name_that_resolves_to_a_metadata_address_is_not_connected_to_at_any_look() -> None:
    """Also when it was looked up before and was honest: what counts is the address of the connection."""
    bad = "169.254.169.254,100.100.100.200,fe80::1,::ffff:169.254.169.254,fd00:ec2::254"
    with receiving() as receiver:
        words = [sys.executable, "-c", REBOUND, str(receiver.server_port), bad]
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
        assert done.returncode == 0, done.stderr
        told, looked_up = json.loads(done.stdout.splitlines()[-1])
        assert told[0] == ["json", ""]
        assert len(told) == 6
        assert all(
            channel == "" and "is a link-local or metadata address" in problem
            for channel, problem in told[1:]
        )
        assert looked_up >= 6
        assert len(receiver.got) == 1


def test_the_processes_that_ask_and_tell_others_are_guarded() -> None:
    """The line stands where the process begins, before anything of it connects."""
    for file, begins in (("oncall", 'configure("oncall")'), ("connect", 'configure("connect-poll")')):
        text = (ROOT / "taishi" / "cli" / f"{file}.py").read_text(encoding="utf-8")
        assert re.search(re.escape(begins) + r"\n    guard_connections\(\)", text)
