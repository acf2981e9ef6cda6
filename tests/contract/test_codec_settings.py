"""The sample settings of every codec folder are settings: they load, and their codecs take the options."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.codecs import load_codecs
from connectors.mqtt.routes import TopicRoutes
from taishi.settings import Settings, load_settings

CONNECTORS = Path(__file__).resolve().parents[2] / "connectors"
SAMPLES = sorted(CONNECTORS.glob("**/settings.toml"))


def loaded(sample: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TAISHI_SETTINGS", str(sample))
    return load_settings()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.parent.name)
def test_sample_settings_load_with_their_routes_and_options(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = loaded(sample, monkeypatch)
    named = {*settings.mqtt_routes.values(), *settings.http_routes.values()}
    assert set(load_codecs(named, settings.codec_options)) == named
    assert TopicRoutes(settings.mqtt_routes).filters
    assert all(path.startswith("/") for path in settings.http_routes)


@pytest.mark.parametrize(
    "sample",
    [path for path in SAMPLES if path.parent.parent == CONNECTORS],
    ids=lambda path: path.parent.name,
)
def test_sample_settings_speak_of_their_own_codec(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(sample, monkeypatch)
    said = sample.read_text("utf-8")
    routed = {*settings.mqtt_routes.values(), *settings.http_routes.values(), *settings.codec_options}
    assert sample.parent.name in routed or f'"{sample.parent.name}"' in said
