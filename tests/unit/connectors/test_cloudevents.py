"""CloudEvents: the same event means the same in every mode, and the inner codec has its own options."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Decoded, Device, Message, Rejected
from connectors.codecs import load_codecs
from schemas.errors import SettingsError
from schemas.quarantine import Reason

PAYLOADS = Path(__file__).resolve().parents[4] / "shared" / "data" / "payloads"
AT_MS = 1_795_392_030_000
READING = {"device": "bay-7", "kind": "parking.space", "metric": "occupied", "value": 1,
           "observed_at": "2026-11-23T00:00:00Z"}  # fmt: skip
CODEC = load_codecs(["cloudevents"], {})["cloudevents"]
NOBODY: dict[str, Device] = {}


def decoded(payload: bytes, headers: dict[str, str], codec: Any = CODEC) -> Decoded | Rejected:
    result: Decoded | Rejected = codec.decode(
        Message(payload, "/cloudevents", AT_MS, headers=tuple(headers.items())), NOBODY
    )
    return result


def in_every_mode(attributes: dict[str, str], data: Any) -> list[Decoded | Rejected]:
    """Structured, structured with base64, batch of one, binary."""
    text = json.dumps(data, ensure_ascii=False).encode()
    plain = {**attributes, "data": data}
    encoded = {**attributes, "data_base64": base64.b64encode(text).decode()}
    headers = {f"ce-{name}": quote(value, safe="/:") for name, value in attributes.items()}
    return [
        decoded(json.dumps(plain).encode(), {"content-type": "application/cloudevents+json"}),
        decoded(json.dumps(plain).encode(), {}),
        decoded(
            json.dumps(encoded).encode(), {"content-type": "Application/CloudEvents+JSON; charset=utf-8"}
        ),
        decoded(json.dumps([plain]).encode(), {"content-type": "application/cloudevents-batch+json"}),
        decoded(text, {"content-type": "application/json"} | headers),
    ]


@given(
    source=st.text(min_size=1, max_size=20).filter(str.isprintable),
    subject=st.text(max_size=20).filter(lambda text: not text or text.isprintable()),
)
@settings(max_examples=100, deadline=None)
def test_an_event_means_the_same_in_every_mode(source: str, subject: str) -> None:
    attributes = {"specversion": "1.0", "id": "e 1%", "source": source, "type": "taishi.reading"}
    results = in_every_mode(attributes | ({"subject": subject} if subject else {}), READING)
    assert all(result == results[0] for result in results)
    assert isinstance(results[0], Decoded)
    assert [seen.value for seen in results[0].observations] == [1.0]


@pytest.mark.parametrize("missing", ["specversion", "id", "source", "type"])
def test_an_event_without_a_required_attribute_is_refused_in_every_mode(missing: str) -> None:
    attributes = {"specversion": "1.0", "id": "e-1", "source": "/city", "type": "taishi.reading"}
    del attributes[missing]
    for result in in_every_mode(attributes, READING):
        (wrong,) = (result,) if isinstance(result, Rejected) else result.rejected
        assert wrong.reason is Reason.MISSING_FIELD
        assert wrong.detail.removeprefix("[0] ") == missing


def test_the_inner_codec_has_its_own_options() -> None:
    entity = {"id": "lot-1", "type": "OffStreetParking", "occupiedSpotNumber": 3, "totalSpotNumber": 10,
              "dateModified": "2026-11-23T08:00:00"}  # fmt: skip
    event = {"specversion": "1.0", "id": "e-1", "source": "/city", "type": "lot", "data": entity}
    payload = json.dumps(event).encode()
    options: dict[str, dict[str, Any]] = {"cloudevents": {"codecs": {"lot": "fiware"}}}
    plain = load_codecs(["cloudevents"], options)["cloudevents"]
    zoned = load_codecs(["cloudevents"], options | {"fiware": {"zone": "Asia/Shanghai"}})["cloudevents"]
    refused, taken = decoded(payload, {}, plain), decoded(payload, {}, zoned)
    assert isinstance(refused, Rejected)
    assert refused.reason is Reason.BAD_TIME
    assert isinstance(taken, Decoded)
    assert {seen.observed_at_ms for seen in taken.observations} == {1_795_392_000_000}


@pytest.mark.parametrize(
    ("codecs", "said"), [({"x": "cloudevents"}, "cloudevents"), ({"x": "nonesuch"}, "nonesuch")]
)
def test_a_codec_that_cannot_be_inside_is_an_error_of_the_settings(codecs: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_codecs(["cloudevents"], {"cloudevents": {"codecs": codecs}})


def test_data_stays_as_it_was_written() -> None:
    """A number beyond 64 bits inside the data is the inner codec's to judge."""
    event = json.dumps({"specversion": "1.0", "id": "1", "source": "/", "type": "taishi.reading"})
    payload = f'{event[:-1]}, "data": {{"device": "d", "value": {10**400}}}}}'.encode()
    result = decoded(payload, {})
    assert isinstance(result, Rejected)
    assert result == load_codecs(["native"], {})["native"].decode(
        Message(f'{{"device": "d", "value": {10**400}}}'.encode(), "/", AT_MS), NOBODY
    )


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="no ../shared/data/payloads beside the repository")
def test_the_recorded_kafka_record_as_an_http_request() -> None:
    record = json.loads((PAYLOADS / "cloudevents_kafka_binary.json").read_text("utf-8"))
    headers = {name.replace("ce_", "ce-", 1): value for name, value in record["headers"].items()}
    body = record["value_utf8"].encode()
    unknown = decoded(body, headers)
    assert isinstance(unknown, Rejected)
    assert unknown.detail == "type: received 'com.example.someevent', allowed: taishi.reading"
    codec = load_codecs(["cloudevents"], {"cloudevents": {"codecs": {headers["ce-type"]: "native"}}})
    inner = decoded(body, headers, codec["cloudevents"])  # {"a": 1} reaches the codec, which wants more
    assert inner == Rejected(Reason.MISSING_FIELD, "device")
    assert decoded(b"", headers, codec["cloudevents"]) == Decoded()
    nameless = decoded(body, {name: value for name, value in headers.items() if name != "ce-source"})
    assert nameless == Rejected(Reason.MISSING_FIELD, "source")


@given(
    headers=st.dictionaries(
        st.sampled_from(
            ["content-type", "ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time", "ce-x"]
        ),
        st.sampled_from(
            ["", "1.0", "taishi.reading", "%", "%ff", '"', '"\\"', "application/cloudevents+json"]
        )
        | st.text(st.characters(max_codepoint=255), max_size=20),
    ),
    payload=st.binary(max_size=30)
    | st.sampled_from([b"[]", b"{}", b'{"data": NaN}', b"[[]]", b'{"data":"\xff"}']),
)
@settings(max_examples=300, deadline=None)
def test_whatever_headers_and_body_come_the_answer_is_a_value(
    headers: dict[str, str], payload: bytes
) -> None:
    result = decoded(payload, headers)
    wrong = (result,) if isinstance(result, Rejected) else result.rejected
    assert all(each.detail and len(each.detail) < 5_000 for each in wrong)
