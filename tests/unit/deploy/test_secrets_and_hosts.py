"""Secrets as files, and the metrics of parts on other hosts: what deploy/ needs of the settings."""

import socket

import pytest

from schemas.errors import SettingsError
from taishi import metrics
from taishi.settings import Settings, load_settings
from taishi.status.collect import Collector


def test_a_secret_is_read_from_the_file_of_its_name_without_the_line_feed(tmp_path, monkeypatch):
    one, two = tmp_path / "secrets", tmp_path / "tokens"
    one.mkdir()
    two.mkdir()
    (one / "taishi_mqtt_password").write_text("of the broker\n")
    (two / "taishi_influxdb_token").write_text("of the store")
    monkeypatch.setenv("TAISHI_SECRETS_FOLDERS", f"{one}:{two}")
    settings = load_settings()
    assert (settings.mqtt_password, settings.influxdb_token) == ("of the broker", "of the store")
    assert "of the" not in repr(settings)


def test_the_environment_comes_before_a_secret_and_a_secret_before_the_file(tmp_path, monkeypatch):
    (tmp_path / "taishi_mqtt_password").write_text("secret")
    (tmp_path / "taishi_http_token").write_text("secret")
    (tmp_path / "taishi.toml").write_text('mqtt_password = "file"\nhttp_token = "file"\n')
    monkeypatch.setenv("TAISHI_SETTINGS", str(tmp_path / "taishi.toml"))
    monkeypatch.setenv("TAISHI_SECRETS_FOLDERS", str(tmp_path))
    monkeypatch.setenv("TAISHI_HTTP_TOKEN", "environment")
    settings = load_settings()
    assert (settings.mqtt_password, settings.http_token) == ("secret", "environment")


def test_a_folder_of_secrets_that_is_none_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("TAISHI_SECRETS_FOLDERS", f"{tmp_path}:{tmp_path / 'away'}")
    with pytest.raises(SettingsError, match=r"TAISHI_SECRETS_FOLDERS: received \S+/away, allowed: folders"):
        load_settings()


def test_metrics_of_a_part_on_another_host_are_asked_there(tmp_path):
    with socket.create_server(("127.0.0.2", 0)) as free:
        port = free.getsockname()[1]
    metrics.serve(port, "127.0.0.2")
    settings = Settings(home=tmp_path, metrics_port=port - 17, metrics_hosts={"desk": "127.0.0.2"})
    with Collector(settings) as collector:
        reached, text = collector._metrics("desk")
    assert reached
    assert "python_info" in text
    with Collector(Settings(home=tmp_path, metrics_port=port - 17)) as collector:
        assert not collector._metrics("desk")[0]
