"""Every codec folder holds description, sample, settings, personal fields and cases."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

CONNECTORS = Path(__file__).resolve().parents[2] / "connectors"
TRANSPORTS = {"file", "http", "mqtt", "sip", "tcp"}
CODECS = sorted({path.parent.name for path in CONNECTORS.glob("*/decode.py")} - TRANSPORTS)
MODELS = sorted(f"lorawan/{path.parent.name}" for path in CONNECTORS.glob("lorawan/*/decode.py"))
FOLDERS = [*CODECS, *MODELS]


def test_there_are_codecs_and_models_to_walk() -> None:
    assert {"chirpstack", "hikvision", "native"} <= set(CODECS)
    assert "lorawan/bosch_tps110" in MODELS


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_codec_folder_describes_itself_and_holds_one_sample(folder: str) -> None:
    at = CONNECTORS / folder
    assert (at / "README.md").is_file(), f"{folder}: write what the format is and what becomes of it"
    samples = [path.name for path in at.glob("sample.*")]
    assert len(samples) == 1, f"{folder}: received {samples}, allowed: one sample"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_codec_folder_holds_at_least_four_whole_cases(folder: str) -> None:
    cases = sorted((CONNECTORS / folder).glob("testcases/*"))
    assert len(cases) >= 4, f"{folder}: {len(cases)} test cases"
    broken = [case.name for case in cases if not (case / "expected.json").is_file()]
    assert broken == []
    assert [case.name for case in cases if len(list(case.glob("input.*"))) != 1] == []


@pytest.mark.parametrize("folder", CODECS)
def test_a_codec_folder_holds_sample_settings(folder: str) -> None:
    assert (CONNECTORS / folder / "settings.toml").is_file(), f"{folder}: write the route as settings.toml"


@pytest.mark.parametrize("folder", CODECS)
def test_a_codec_names_the_fields_whose_values_are_personal(folder: str) -> None:
    personal = importlib.import_module(f"connectors.{folder}.decode").PERSONAL
    assert isinstance(personal, tuple), f"{folder}: PERSONAL is a tuple of names, () where there are none"
    assert all(isinstance(name, str) and name for name in personal)


@pytest.mark.parametrize("folder", CODECS)
def test_a_codecs_readme_is_linked_from_the_page_of_connectors(folder: str) -> None:
    assert f"({folder}/README.md)" in (CONNECTORS / "README.md").read_text("utf-8")
