"""What Grafana is provisioned with: data sources, secrets from files, no alarm of the district."""

import re
from pathlib import Path

import pytest
import yaml

from dashboards.sources import SOURCES
from schemas.errors import SettingsError
from taishi.grafana.push import FOLDER, FOLDER_TITLE
from taishi.grafana.tokens import commands

FOLDER_OF = Path(__file__).parents[3] / "deploy" / "compose" / "grafana"
PROVISIONING = FOLDER_OF / "provisioning"


def read(path):
    return yaml.safe_load(path.read_text("utf-8"))


SOURCES_GIVEN = read(PROVISIONING / "datasources" / "taishi.yaml")["datasources"]
COMPOSE = read(FOLDER_OF / "compose.yaml")
RULES = read(PROVISIONING / "alerting" / "infrastructure.yaml")["groups"][0]["rules"]


def test_every_data_source_that_boards_name_is_provisioned_under_its_uid_and_type():
    wanted = {uid: source.plugin for uid, source in SOURCES.items() if source.language}
    assert {given["uid"]: given["type"] for given in SOURCES_GIVEN} == wanted
    assert [given["uid"] for given in SOURCES_GIVEN if given.get("isDefault")] == ["taishi-influxdb"]


def test_each_sensitivity_class_has_a_database_and_a_token_of_its_own():
    influx = {given["uid"]: given for given in SOURCES_GIVEN if given["type"] == "influxdb"}
    for key in (("jsonData", "dbName"), ("secureJsonData", "httpHeaderValue1")):
        assert len({given[key[0]][key[1]] for given in influx.values()}) == len(influx) == 2
    assert "care" in influx["taishi-influxdb-care"]["secureJsonData"]["httpHeaderValue1"]


def test_no_secret_stands_in_a_file_and_every_one_that_is_read_is_mounted():
    texts = [path.read_text("utf-8") for path in FOLDER_OF.rglob("*.yaml")]
    read_ones = set(re.findall(r"/run/secrets/(\w+)", "".join(texts)))
    assert read_ones == set(COMPOSE["secrets"]) == set(COMPOSE["services"]["grafana"]["secrets"])
    for given in SOURCES_GIVEN:
        for value in given.get("secureJsonData", {}).values():
            assert re.fullmatch(r"Token \$__file\{/run/secrets/\w+\}", value)
    assert all("$TAISHI_SECRETS" in str(secret).replace("{", "") for secret in COMPOSE["secrets"].values())


def test_every_variable_that_provisioning_reads_is_given_by_compose():
    text = (PROVISIONING / "datasources" / "taishi.yaml").read_text("utf-8")
    wanted = set(re.findall(r"\$(TAISHI_\w+)", text))
    assert wanted <= set(COMPOSE["services"]["grafana"]["environment"])
    assert wanted


def test_the_boards_come_from_the_rendered_folder_into_the_folder_that_a_push_uses():
    (provider,) = read(PROVISIONING / "dashboards" / "taishi.yaml")["providers"]
    assert (provider["folderUid"], provider["folder"]) == (FOLDER, FOLDER_TITLE)
    mounts = [volume.split(":") for volume in COMPOSE["services"]["grafana"]["volumes"]]
    (rendered,) = (m for m in mounts if m[1] == provider["options"]["path"])
    assert rendered[2] == "ro"
    assert list((FOLDER_OF / rendered[0]).resolve().glob("taishi-*.json"))


def test_grafana_is_open_to_nobody_and_tells_nobody():
    environment = COMPOSE["services"]["grafana"]["environment"]
    for name in ("GF_AUTH_ANONYMOUS_ENABLED", "GF_USERS_ALLOW_SIGN_UP", "GF_ANALYTICS_REPORTING_ENABLED"):
        assert environment[name] == "false"
    assert COMPOSE["services"]["grafana"]["ports"] == ["127.0.0.1:3000:3000"]


def test_grafana_alerts_of_the_installation_only_and_never_of_the_district():
    assert len(RULES) == len({rule["uid"] for rule in RULES}) == 3
    for rule in RULES:
        text = str(rule["data"])
        assert not re.search(r"\balerts\b|care|occup|intrusion|smoke|sos|falls", text), rule["uid"]
        assert rule["labels"] == {"scope": "infrastructure"}
        refs = [query["refId"] for query in rule["data"]]
        assert rule["condition"] in refs
        for query in rule["data"]:
            assert query["datasourceUid"] in {*SOURCES, "__expr__"}
            assert query["model"]["refId"] == query["refId"]


def test_tokens_of_2_read_the_buckets_of_their_class_and_no_other():
    lines = commands("taishi", "taishi_care", ("1m", "10s"), "district")
    district, care = (line for line in lines if not line.startswith("#"))
    assert "--name taishi/1m " in district
    assert "--name taishi/10s " in district
    assert "taishi_care" not in district
    assert care.count("--read-bucket") == care.count("taishi_care/") == 2
    assert not any("--write" in line for line in lines)


def test_users_of_1_8_read_the_database_of_their_class_and_no_other():
    lines = [line for line in commands("taishi", "taishi_care", ("1m",), "") if not line.startswith("#")]
    assert lines[1] == 'GRANT READ ON "taishi" TO taishi_grafana_district'
    assert lines[3] == 'GRANT READ ON "taishi_care" TO taishi_grafana_care'


@pytest.mark.parametrize("care", ["", "taishi"])
def test_without_a_database_of_its_own_care_cannot_be_left_out_and_that_is_said(care):
    with pytest.raises(SettingsError, match=r"influxdb_care_database: .*allowed: a database of its own"):
        commands("taishi", care, ("1m",), "")
