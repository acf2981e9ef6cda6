"""XML formats: every element hostile or missing, any bytes anywhere; the codec answers and never raises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Decoded, Device, Message, Rejected
from connectors.codecs import load_codecs
from connectors.judge import judge
from connectors.resolve import Resolver
from schemas.quarantine import Reason

CONNECTORS = Path(__file__).resolve().parents[2] / "connectors"
NAMES = ("gb28181", "hikvision", "onvif")
CODECS = load_codecs(
    NAMES, {"gb28181": {"crs": "GCJ-02", "channel": "SN", "leave_clears": True}, "hikvision": {"zone": "UTC"}}
)
SAMPLES = {
    name: (CONNECTORS / name / "sample.xml").read_bytes().decode("gb18030" if name == "gb28181" else "utf-8")
    for name in NAMES
}
HOSTILE = (
    *("", " ", "&#0;", "\n", "'; DROP TABLE readings; --", "../../etc/passwd", "\u202e反", "🚗" * 100),
    *("x" * 100_000, "&lt;script&gt;", "NaN", "1e999", "-1", "9" * 400, "true", "<a><b/></a>"),
    *("<a>" * 50 + "</a>" * 50, "<![CDATA[x]]>", "<!-- x -->", "&unknown;"),
)


class AnyDevice:
    def get(self, device: str) -> Device | None:
        return Device(device, "", "", "370202001001001", None, "", None, simulated=False)


class Nowhere:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


def holds(codec: str, payload: bytes) -> None:
    message = Message(payload, f"/{codec}", 1_795_392_000_000)
    result = CODECS[codec].decode(message, AnyDevice())
    assert isinstance(result, Decoded | Rejected)
    rejected = (result,) if isinstance(result, Rejected) else result.rejected
    assert all(type(item.reason) is Reason and 0 < len(item.detail) < 5_000 for item in rejected)
    verdict = judge(message, result, f"test.{codec}", Resolver(AnyDevice(), Nowhere()))
    assert all(record.key.isprintable() for record in verdict.records)


def encoded(codec: str, text: str) -> bytes:
    return text.encode("gb18030" if codec == "gb28181" else "utf-8", "replace")


@pytest.mark.parametrize("codec", NAMES)
def test_every_text_and_attribute_hostile(codec: str) -> None:
    sample = SAMPLES[codec]
    texts = [match.span(1) for match in re.finditer(r">([^<>]+)<", sample)]
    values = [match.span(1) for match in re.finditer(r'="([^"]*)"', sample)]
    for start, end in texts + values:
        for hostile in HOSTILE:
            holds(codec, encoded(codec, sample[:start] + hostile + sample[end:]))


@pytest.mark.parametrize("codec", NAMES)
def test_every_element_missing_or_twice(codec: str) -> None:
    sample = SAMPLES[codec]
    for name in dict.fromkeys(re.findall(r"<([\w:]+)[ />]", sample) + re.findall(r"<([\w:]+)>", sample)):
        whole = re.compile(rf"<{name}(?:\s[^>]*)?>.*?</{name}>|<{name}\s[^>]*/>", re.DOTALL)
        holds(codec, encoded(codec, whole.sub("", sample)))
        holds(codec, encoded(codec, whole.sub(lambda found: found[0] * 2, sample)))
        holds(codec, encoded(codec, re.sub(rf"(</?){name}\b", r"\1other", sample)))


@pytest.mark.parametrize("codec", NAMES)
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_any_bytes_in_any_place(codec: str, data: st.DataObject) -> None:
    raw = bytearray(encoded(codec, SAMPLES[codec]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
    holds(codec, bytes(raw))


@pytest.mark.parametrize("codec", NAMES)
def test_entities_expand_nothing(codec: str) -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    body = re.sub(r"<\?xml[^>]*\?>", "", SAMPLES[codec])
    result = CODECS[codec].decode(Message(encoded(codec, laughs + body), "/x", 0), AnyDevice())
    assert isinstance(result, Rejected)
    assert result.reason is Reason.MALFORMED


@given(head=st.binary(max_size=80), body=st.binary(max_size=200), said=st.integers(0, 400))
@settings(max_examples=300, deadline=None)
def test_any_multipart_body(head: bytes, body: bytes, said: int) -> None:
    xml = SAMPLES["hikvision"].encode()
    payload = b"--b\r\n" + head + b"\r\nContent-Length: %d\r\n\r\n" % said + body + b"\r\n--b\r\n\r\n" + xml
    message = Message(
        payload, "/hikvision", 1_795_392_000_000, headers=(("content-type", "multipart/mixed; boundary=b"),)
    )
    assert isinstance(CODECS["hikvision"].decode(message, AnyDevice()), Decoded | Rejected)
