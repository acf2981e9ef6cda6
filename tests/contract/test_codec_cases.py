"""Every codec folder: its sample says something, and each of its test cases comes out exactly.

A case is `testcases/<case>/input.*` and `expected.json`: `address`, `devices` (registry rows), `options`,
`retained`, `received_at_ms`, `headers`, and what comes of it: `observations` and `signals` (fields not at
their default), `rejected` as [reason, detail].
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.base import Decoded, Device, Message, Rejected
from connectors.codecs import codec_names, load_codecs
from connectors.lorawan.frame import Frame, decode_frame, frame_models

CONNECTORS = Path(__file__).resolve().parents[2] / "connectors"
FRAMES = {model: f"lorawan/{model.replace('.', '_')}" for model in frame_models()}
FOLDERS = [*codec_names(), *FRAMES.values()]
CASES = [(folder, case) for folder in FOLDERS for case in sorted((CONNECTORS / folder).glob("testcases/*"))]
FRAME_AT_MS = 1_795_392_000_000


class Rows(dict[str, Device]):
    """A registry of a few rows; fields that are not given are empty."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        empty = {"model": "", "kind": "", "grid": "", "location": None, "subject": "", "capacity": None}
        super().__init__((row["device"], Device(**(empty | {"simulated": False} | row))) for row in rows)


def decode(folder: str, payload: bytes, said: dict[str, Any]) -> Decoded | Rejected:
    if folder.startswith("lorawan/"):
        model = next(model for model, at in FRAMES.items() if at == folder)
        given = json.loads(payload)
        return decode_frame(
            model, Frame("0004a30b001c0001", given["port"], bytes.fromhex(given["hex"]), FRAME_AT_MS, 1)
        )
    codec = load_codecs([folder], {folder: said.get("options", {})})[folder]
    message = Message(
        payload,
        said.get("address", "x"),
        said.get("received_at_ms", 0),
        said.get("retained", False),
        tuple(said.get("headers", {}).items()),
    )
    return codec.decode(message, Rows(said.get("devices", [])))


def plain(item: Any) -> dict[str, Any]:
    """A value without the fields that are at their default."""
    fields = ((field, getattr(item, field.name)) for field in msgspec.structs.fields(item))
    return {
        field.name: dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value
        for field, value in fields
        if value != field.default
    }


def outcome(result: Decoded | Rejected) -> dict[str, Any]:
    """As `expected.json` says it."""
    if isinstance(result, Rejected):
        return {"rejected": [[result.reason.value, result.detail]]}
    said = {
        "observations": [plain(item) for item in result.observations],
        "signals": [plain(item) for item in result.signals],
        "rejected": [[item.reason.value, item.detail] for item in result.rejected],
    }
    return {name: items for name, items in said.items() if items}


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_sample_of_a_folder_says_something(folder: str) -> None:
    (sample,) = (CONNECTORS / folder).glob("sample.*")
    devices = [{"device": name, "kind": "care.activity", "model": "bosch.tps110"}
               for name in ("d", "0004a30b001c0001")]  # fmt: skip
    result = decode(folder, sample.read_bytes(), {"address": "zigbee2mqtt/d", "devices": devices})
    assert isinstance(result, Decoded), result
    assert result.observations or result.signals, f"{folder}: the sample says something"


@pytest.mark.parametrize(("folder", "case"), CASES, ids=[f"{folder}-{case.name}" for folder, case in CASES])
def test_the_case_comes_out_as_written(folder: str, case: Path) -> None:
    (message,) = case.glob("input.*")
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    said = {"address", "devices", "options", "retained", "received_at_ms", "headers"}
    given = {name: expected.pop(name) for name in said & set(expected)}
    assert outcome(decode(folder, message.read_bytes(), given)) == expected


def test_personal_fields_never_enter_an_observation_or_a_signal() -> None:
    personal = ("测试", "0000000011", "TEST001", '"001"')
    texts = [(case / "expected.json").read_text(encoding="utf-8") for _, case in CASES]
    assert [text for text in texts for word in personal if word in text] == []
