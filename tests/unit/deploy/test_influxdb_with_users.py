"""InfluxDB 1.8 with users, as data: the compose file, and who is given which right."""

from pathlib import Path

import pytest
import yaml

from deploy.embedded.fetch import INFLUXD
from pipelines.io.influxdb_users import credentials, first_administrator, statements
from taishi.settings import Settings
from tests.unit.deploy.test_compose_host import leads_to

FILE = Path(__file__).parents[3] / "deploy" / "compose" / "influxdb-1.8" / "compose.yaml"
SERVICES = yaml.safe_load(FILE.read_text("utf-8"))["services"]


def test_the_server_wants_users_and_is_the_version_that_is_tested():
    server = SERVICES["influxdb"]
    assert server["image"] == f"influxdb:{INFLUXD.version}"
    assert server["environment"]["INFLUXDB_HTTP_AUTH_ENABLED"] == "true"
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])


def test_the_users_are_made_by_a_command_and_settings_that_there_are():
    job = SERVICES["users"]
    assert leads_to(job["command"]).callback is not None
    known = {f"TAISHI_{field.upper()}" for field in Settings.model_fields} | {"TAISHI_SECRETS_FOLDERS"}
    assert set(job["environment"]) <= known
    assert [each["target"] for each in job["secrets"]] == ["taishi_influxdb_token"]
    assert all(service["user"].split(":")[0] != "0" for service in SERVICES.values())


def test_care_is_given_to_those_it_is_for_alone():
    rights = {each.purpose: dict(each.rights) for each in credentials("taishi", "taishi_care")}
    assert rights == {
        "writer": {"taishi": "ALL", "taishi_care": "ALL"},
        "reader": {"taishi": "READ", "taishi_care": "READ"},
        "grafana-district": {"taishi": "READ"},
        "grafana-care": {"taishi_care": "READ"},
    }
    assert [each.purpose for each in credentials("taishi")] == ["writer", "reader", "grafana-district"]


def test_who_is_there_gets_the_password_and_who_is_not_is_made():
    (reader,) = (each for each in credentials("taishi") if each.purpose == "reader")
    rights = ['GRANT READ ON "taishi" TO "taishi_reader"']
    assert statements(reader, "secret", []) == [
        "CREATE USER \"taishi_reader\" WITH PASSWORD 'secret'", *rights,
    ]  # fmt: skip
    assert statements(reader, "secret", ["taishi_reader"]) == [
        "SET PASSWORD FOR \"taishi_reader\" = 'secret'", *rights,
    ]  # fmt: skip


@pytest.mark.parametrize("hostile", ["a' WITH ALL PRIVILEGES", 'a"b', "a\\", "a\nb"])
def test_a_password_that_would_end_its_quotes_is_refused(hostile):
    with pytest.raises(ValueError, match="quote"):
        first_administrator("root", hostile)
