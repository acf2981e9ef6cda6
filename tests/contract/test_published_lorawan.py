"""What vendors and network servers publish of LoRaWAN, through our codecs; read beside the repository."""

from __future__ import annotations

import base64
import copy
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Decoded, Device, Message, Rejected
from connectors.codecs import load_codecs
from connectors.lorawan.frame import Frame, decode_frame
from schemas.quarantine import Reason

PAYLOADS = Path(__file__).resolve().parents[3] / "shared" / "data" / "payloads"
AT_MS = 1_795_392_000_000
EUI = "0004a30b001c0001"
CODECS = load_codecs(["chirpstack", "tts", "thingpark"], {})

pytestmark = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="no ../shared/data/payloads beside the repository"
)


class AllOf:
    """Every device is registered, with one model."""

    def __init__(self, model: str) -> None:
        self._model = model

    def get(self, device: str) -> Device | None:
        return Device(device, self._model, "", "370202001001001", None, "", None, simulated=False)


def published(name: str) -> Any:
    return json.loads((PAYLOADS / name).read_text("utf-8"))


def decoded(codec: str, said: Any, model: str, address: str = "x") -> Decoded | Rejected:
    return CODECS[codec].decode(Message(json.dumps(said).encode(), address, AT_MS), AllOf(model))


def tps110_vectors() -> list[Any]:
    path = PAYLOADS / "bosch_tps110_vectors.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


@pytest.mark.parametrize("vector", tps110_vectors(), ids=lambda vector: vector["description"])
def test_the_vendors_vectors_of_the_tps110(vector: Any) -> None:
    result = decode_frame("bosch.tps110", Frame(EUI, vector["fPort"], bytes(vector["bytes"]), AT_MS))
    assert isinstance(result, Decoded)
    (seen,) = result.observations
    assert (seen.kind, seen.metric, bool(seen.value)) == (
        "parking.space",
        "occupied",
        vector["data"]["occupied"],
    )


@pytest.mark.parametrize("vector", tps110_vectors(), ids=lambda vector: vector["description"])
@pytest.mark.parametrize("server", CODECS)
def test_a_vector_means_the_same_whatever_server_brings_it(server: str, vector: Any) -> None:
    data, port = bytes(vector["bytes"]), vector["fPort"]
    time, text = "2026-11-23T00:00:00Z", base64.b64encode(data).decode()
    up = {
        "chirpstack": {"deviceInfo": {"devEui": EUI}, "time": time, "fPort": port, "fCnt": 9, "data": text},
        "tts": {
            "end_device_ids": {"dev_eui": EUI.upper()},
            "uplink_message": {"f_port": port, "f_cnt": 9, "frm_payload": text, "received_at": time},
        },
        "thingpark": {
            "DevEUI_uplink": {
                "DevEUI": EUI.upper(), "Time": time, "FPort": str(port), "FCntUp": "9",
                "payload_hex": data.hex(),
            }
        },
    }[server]  # fmt: skip
    assert decoded(server, up, "bosch.tps110") == decode_frame(
        "bosch.tps110", Frame(EUI, port, data, AT_MS, 9)
    )


def test_the_published_uplink_of_chirpstack() -> None:
    up = published("chirpstack_v4_up.json")
    result = decoded("chirpstack", up, "bosch.tps110", "application/1/device/0101010101010101/event/up")
    assert isinstance(result, Decoded)
    (seen,) = result.observations  # its byte is AA: bit 0 is 0
    assert (seen.device, seen.value, seen.observed_at_ms) == ("0101010101010101", 0.0, 1_658_136_855_775)


@pytest.mark.parametrize("event", ["status", "join", "ack", "txack", "log", "location", "integration"])
def test_an_event_of_the_network_says_nothing(event: str) -> None:
    address = f"application/1/device/0101010101010101/event/{event}"
    assert decoded("chirpstack", published("chirpstack_v4_status.json"), "", address) == Decoded()


def test_the_published_uplink_of_the_things_stack() -> None:
    up = published("tts_v3_up.json")
    refused = decoded("tts", up, "bosch.tps110")  # a weather station: its 6 bytes are no parking sensor's
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.detail) == (
        Reason.MALFORMED,
        "bytes on fPort 2: received 6, allowed: 2",
    )
    parked = copy.deepcopy(up)
    parked["uplink_message"]["frm_payload"] = "Af8="
    result = decoded("tts", parked, "bosch.tps110")
    assert isinstance(result, Decoded)
    (seen,) = result.observations
    assert (seen.device, seen.seq, seen.observed_at_ms) == ("70b3d57ed005b89a", 1834, 1_779_716_531_412)


def test_the_published_history_of_the_fall_radar_encoded_as_the_vendors_decoder_reads_it() -> None:
    (history,) = published("milesight_vs373_decoded.json")["history"]
    types, states = {"fall": 0, "out_of_bed": 3}, {"alarm_triggered": 1}

    def block(alarm_type: str) -> bytes:
        alarm = (types[alarm_type], states[history["alarm_status"]], history["region_id"])
        return b"\x20\xce" + struct.pack("<IHBBB", history["timestamp"], history["alarm_id"], *alarm)

    assert decode_frame("milesight.vs373", Frame(EUI, 85, block(history["alarm_type"]), AT_MS)) == Decoded()
    result = decode_frame("milesight.vs373", Frame(EUI, 85, block("fall"), AT_MS))
    assert isinstance(result, Decoded)
    (signal,) = result.signals
    assert (signal.alarm, signal.observed_at_ms, result.observations) == ("10", 1_710_000_000_000, ())


def test_the_published_alarms_of_the_fall_radar_encoded_as_the_vendors_decoder_reads_them() -> None:
    falls = published("milesight_vs373_decoded.json")["fall_alarm"]
    named = list(zip(falls["alarm_id"].split(", "), falls["alarm_status"].split(", "), strict=True))
    data = b"".join(b"\x06\xfb" + struct.pack("<HBBB", int(n), 0, int(s), 0xFF) for n, s in named)
    result = decode_frame("milesight.vs373", Frame(EUI, 85, data, AT_MS))
    assert isinstance(result, Decoded)
    assert [(each.alarm, each.state) for each in result.signals] == [
        ("1", "active"), ("2", "active"), ("3", "cleared"),
    ]  # fmt: skip
    assert len({(seen.observed_at_ms, seen.seq) for seen in result.observations}) == 2


def test_the_published_example_of_the_button() -> None:
    result = decode_frame("milesight.ws101", Frame(EUI, 85, bytes.fromhex("017510FF2E01"), AT_MS))
    assert isinstance(result, Decoded)
    assert [signal.type for signal in result.signals] == ["sos"]
