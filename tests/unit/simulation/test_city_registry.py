"""The city writes its devices into the registry, and leaves everybody else's alone."""

import pytest
from click.testing import CliRunner

from connectors.registry import DeviceRegistry
from schemas.errors import SettingsError
from taishi.cli.simulate import simulate

HEADER = "device,model,kind,grid,longitude,latitude,crs,subject,capacity,simulated,vendor\n"
MINE = "bay-7,native,parking.space,370202001001001,,,,,,false,Acme\n"


def write_city(path, devices):
    return CliRunner().invoke(
        simulate, ["--write-registry", str(path), "--devices", str(devices)], catch_exceptions=False
    )


def test_real_devices_stay_and_simulated_ones_are_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path))
    path = tmp_path / "devices.csv"
    path.write_text(HEADER + MINE + "old-sim,native,parking.space,370202001001001,,,,,,true,\n", "utf-8")
    for devices in (1_000, 1_200):
        assert write_city(path, devices).exit_code == 0
        registry = DeviceRegistry(path)
        assert registry.get("bay-7").vendor == "Acme"
        assert registry.get("old-sim") is None
        assert registry.problems == ()
        assert len(registry) > devices / 2


def test_a_row_that_cannot_be_read_is_not_dropped(tmp_path, monkeypatch):
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path))
    path = tmp_path / "devices.csv"
    path.write_text(HEADER + MINE + "bay-8,native,parking.spice,370202001001001,,,,,,false,\n", "utf-8")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match=r"line 3: kind: received 'parking\.spice'"):
        write_city(path, 1_000)
    assert path.read_bytes() == before
