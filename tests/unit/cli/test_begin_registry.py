"""Without the city nobody writes a device registry: `up --no-demo` begins an empty one."""

from connectors.registry import DeviceRegistry
from taishi.cli.stack import _begin_registry
from taishi.settings import Settings


def test_an_empty_registry_is_begun_where_there_is_none_and_one_that_is_there_stays(tmp_path):
    settings = Settings(home=tmp_path / "home")
    _begin_registry(settings)
    path = tmp_path / "home" / "devices.csv"
    assert len(DeviceRegistry(path)) == 0
    path.write_text(path.read_text() + "bay-7,native,parking.space,370202001001001,,,,,,false\n")
    _begin_registry(settings)
    assert len(DeviceRegistry(path)) == 1
