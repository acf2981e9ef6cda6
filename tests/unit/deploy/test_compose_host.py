"""The installation on one host, as data: commands, settings, secrets, ports, probes are ones there are."""

import json
import re
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from deploy.embedded import stack
from deploy.embedded.fetch import KAFKA, PRISM
from deploy.embedded.kafka import properties
from deploy.embedded.settings import METRICS_OFFSETS
from deploy.probe import health_of
from schemas.errors import SettingsError
from taishi.cli.main import _GROUP
from taishi.settings import Settings, load_settings
from taishi.stack_settings import stack_settings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "compose" / "host"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each.get("command", [""])[0] == "taishi"}
OUR_IMAGE = {name: each for name, each in SERVICES.items() if "taishi" in each["image"]}
OUTSIDE_OF_SETTINGS = {"TAISHI_SECRETS_FOLDERS"}
TLS_OF_PORT = {
    "8883:8883": "mosquitto",
    "8443:18080": "http",
    "8444:18084": "desk",
    "8445:18090": "outgoing",
    "8446:8446": "pages-door",
    "8447:3000": "grafana",
}


def mounted(service):
    """Path -> name of each secret that a service is given."""
    given = {}
    for secret in service.get("secrets", ()):
        source, target = (secret, secret) if isinstance(secret, str) else (secret["source"], secret["target"])
        given[target if target.startswith("/") else f"/run/secrets/{target}"] = source
    return given


def targets(service):
    return {
        volume.rpartition(":")[0] if volume.endswith(":ro") else volume
        for volume in service.get("volumes", ())
    }


def leads_to(command):
    """The command that click would run for these words; click's own error where it takes them not."""
    found, context, words = _GROUP, click.Context(_GROUP), command[1:]
    while isinstance(found, click.Group):
        _, found, words = found.resolve_command(context, words)
        context = click.Context(found, parent=context)
    found.parse_args(context, list(words))
    return found


def test_every_part_of_the_embedded_stack_is_a_service():
    settings = Settings(
        home="/nowhere", oncall_file="/nowhere/oncall.toml", outgoing=True, desk=True, pages=True
    )
    parts = {part.name for part in stack.declared(stack_settings(settings), Path("java"), demo=False)}
    assert {"mosquitto" if name == "mqtt" else name for name in parts} <= set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_a_command_is_one_that_the_command_line_takes(name):
    assert leads_to(OURS[name]["command"]).callback is not None


def test_a_command_that_is_none_would_be_found():
    with pytest.raises(click.UsageError):
        leads_to(["taishi", "worker", "agregate"])
    with pytest.raises(click.UsageError):
        leads_to(["taishi", "topics", "create", "--copies", "3"])


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_and_all_together_are_taken(name, tmp_path, monkeypatch):
    given = {key: str(value) for key, value in OURS[name]["environment"].items()}
    known = {f"TAISHI_{field.upper()}" for field in Settings.model_fields} | OUTSIDE_OF_SETTINGS
    assert set(given) <= known
    for key, value in given.items():
        monkeypatch.setenv(key, re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value))
    folders = given.get("TAISHI_SECRETS_FOLDERS", "").split(":") if "TAISHI_SECRETS_FOLDERS" in given else []
    for folder in folders:
        inside = tmp_path / folder.lstrip("/")
        inside.mkdir(parents=True)
        for path in mounted(OURS[name]):
            if path.startswith(f"{folder}/taishi_"):
                (inside / Path(path).name).write_text("a secret\n")
    monkeypatch.setenv("TAISHI_SECRETS_FOLDERS", ":".join(f"{tmp_path}{folder}" for folder in folders))
    settings = load_settings()
    assert settings.kafka_bootstrap == "kafka:9092"
    for secret in (Path(path).name for path in mounted(OURS[name]) if "/taishi_" in path):
        assert getattr(settings, secret.removeprefix("taishi_")) == "a secret"


def test_every_secret_is_declared_and_used_and_is_a_file_of_the_operator():
    used = {source for service in SERVICES.values() for source in mounted(service).values()}
    assert used == set(COMPOSE["secrets"])
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"${{TAISHI_DEPLOY_SECRETS:?folder of the secrets}}/{name}"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_secret_that_a_service_reads_is_given_to_it(name):
    service = SERVICES[name]
    read = set(
        re.findall(
            r"/run/(?:secrets|grafana)/[\w.]+",
            json.dumps([service.get("environment"), service.get("command")]),
        )
    )
    assert read <= set(mounted(service))
    folders = str((service.get("environment") or {}).get("TAISHI_SECRETS_FOLDERS", "")).split(":")
    assert ("/run/secrets" in folders) == any("/taishi_" in path for path in mounted(service))
    assert ("/run/tokens" in folders) == any(volume.endswith(":/run/tokens") for volume in targets(service))


def test_no_value_of_an_environment_is_a_secret():
    for name, service in SERVICES.items():
        for key, value in (service.get("environment") or {}).items():
            if (
                re.search(r"PASSWORD|TOKEN|_KEY(?!STORE_TYPE)|SECRET", key)
                and key != "TAISHI_SECRETS_FOLDERS"
            ):
                assert str(value).startswith("/run/"), (name, key)


def test_only_those_who_write_hold_the_token_that_writes():
    holders = {
        token: {
            name
            for name, each in SERVICES.items()
            if any(v.startswith(f"token-{token}:") for v in targets(each))
        }
        for token in ("writer", "reader", "grafana")
    }
    makes = {"influxdb-tokens"}
    assert holders == {
        "writer": {"worker-situation", "sources"} | makes,
        "reader": {"desk", "outgoing", "pages"} | makes,
        "grafana": {"grafana"} | makes,
    }
    admins = {name for name, each in SERVICES.items() if "influxdb_admin_token" in mounted(each).values()}
    assert admins == {"influxdb", "influxdb-database", "influxdb-tokens"}


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_rights_are_few_and_use_is_limited(name):
    service = SERVICES[name]
    assert re.search(r":v?\d+\.\d+(\.\d+)?[\w.-]*\}?$", service["image"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "kafka")
    assert service["mem_limit"]
    assert service["cpus"]
    assert not service["user"].startswith("0:")


def test_what_starts_after_what_is_a_service_that_can_be_waited_for():
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            once = how == {"condition": "service_completed_successfully"}
            assert once or how == {"condition": "service_healthy"}
            assert ("healthcheck" in SERVICES[other]) is not once, (name, other)
        runs_on = service["restart"] == "unless-stopped"
        assert runs_on == ("healthcheck" in service), name


@pytest.mark.parametrize("name", [name for name, each in OUR_IMAGE.items() if "healthcheck" in each])
def test_a_health_check_asks_what_the_part_serves(name):
    check = SERVICES[name]["healthcheck"]["test"]
    assert check[:4] == ["CMD", "python", "-m", "deploy.probe"]
    health = health_of(check[4:])
    if name.startswith("prism-"):
        assert (health.protocol, health.port) == (
            "http2",
            Settings.model_fields[f"{name.replace('-', '_')}_port"].default,
        )
        assert f"--job_port={health.port}" in SERVICES[name]["command"]
    elif name == "pages":
        assert (health.port, health.path) == (Settings.model_fields["pages_port"].default, "/ready")
    else:
        assert (health.port, health.path) == (
            Settings.model_fields["metrics_port"].default + METRICS_OFFSETS[name],
            "/metrics",
        )


def test_what_is_published_speaks_tls():
    published = {port for service in SERVICES.values() for port in service.get("ports", ())}
    assert published == set(TLS_OF_PORT)
    assert SERVICES["grafana"]["environment"]["GF_SERVER_PROTOCOL"] == "https"
    assert "listen 8446 ssl;" in (FOLDER / "nginx" / "pages.conf").read_text("utf-8")
    for port, part in TLS_OF_PORT.items():
        if part in {"http", "desk", "outgoing"}:
            name = "connect-http" if part == "http" else part
            assert f"TAISHI_{part.upper()}_TLS_CERTIFICATE" in SERVICES[name]["environment"]
            assert int(port.partition(":")[2]) == Settings.model_fields[f"{part}_port"].default


def test_only_one_network_leads_out_and_the_stores_are_not_on_it():
    assert {name for name, each in COMPOSE["networks"].items() if not each.get("internal")} == {"outside"}
    assert not any(
        "outside" in SERVICES[name]["networks"] for name in ("kafka", "influxdb", "postgres", "prometheus")
    )
    for name, service in SERVICES.items():
        assert ("networks" in service) != ("network_mode" in service), name
        assert set(service.get("networks", ())) <= set(COMPOSE["networks"])


@pytest.mark.parametrize("name", OURS)
def test_who_reaches_kafka_speaks_to_it_over_tls_with_a_password_in_a_file(name):
    """A worker is on its Prism's network."""
    service = OURS[name]
    network = service.get("network_mode", f"service:{name}").removeprefix("service:")
    reaches = "log" in SERVICES[network]["networks"]
    environment, files = service["environment"], mounted(service)
    assert (environment.get("TAISHI_KAFKA_SECURITY_PROTOCOL") == "SASL_SSL") == reaches
    assert ("/run/secrets/taishi_kafka_security_password" in files) == reaches


def test_kafka_speaks_in_clear_with_itself_alone():
    environment = SERVICES["kafka"]["environment"]
    protocols = dict(
        each.split(":") for each in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    )
    listeners = dict(each.split("://") for each in environment["KAFKA_LISTENERS"].split(","))
    assert protocols.keys() == listeners.keys()
    in_clear = {name for name, protocol in protocols.items() if protocol == "PLAINTEXT"}
    assert {listeners[name].partition(":")[0] for name in in_clear} == {"127.0.0.1"}
    assert {protocols[name] for name in protocols.keys() - in_clear} == {"SASL_SSL"}


def test_kafka_is_the_version_and_has_the_rules_of_the_embedded_one():
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA.version}"
    wanted = properties(stack_settings(Settings(home="/nowhere")))
    given = {
        key.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for key, value in SERVICES["kafka"]["environment"].items()
    }
    for name in (
        "message.max.bytes",
        "log.message.timestamp.type",
        "auto.create.topics.enable",
        "replica.fetch.max.bytes",
    ):
        assert given[name] == wanted[name]


def test_prometheus_asks_every_part_where_it_serves():
    config = yaml.safe_load((FOLDER / "prometheus" / "taishi.yaml").read_text("utf-8"))
    (job,) = config["scrape_configs"]
    hosts = json.loads(SERVICES["sources"]["environment"]["TAISHI_METRICS_HOSTS"]) | {"sources": "sources"}
    first = Settings.model_fields["metrics_port"].default
    assert set(job["static_configs"][0]["targets"]) == {
        f"{host}:{first + METRICS_OFFSETS[part]}" for part, host in hosts.items()
    }
    assert set(hosts) == {name for name in OURS if "healthcheck" in OURS[name]}


def test_the_image_is_built_from_the_lock_and_of_beams_own_version():
    text = (ROOT / "deploy" / "image" / "Dockerfile").read_text("utf-8")
    assert "--require-hashes -r /build/requirements.lock" in text
    assert f"{PRISM.package.partition('@')[0]}@v{PRISM.version}" in text
    assert all(
        re.match(r"FROM \w+:\d+\.\d+\.\d+", line) for line in text.splitlines() if line.startswith("FROM")
    )
    assert "\nUSER 10001:10001\n" in text
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert OUR_IMAGE["desk"]["image"] == f"${{TAISHI_IMAGE:-taishi:{version}}}"


@pytest.mark.parametrize("words", [[], ["http"], ["ftp", "21"], ["http", "x"], ["http", "1", "/", "more"]])
def test_a_probe_of_something_else_is_refused(words):
    with pytest.raises(SettingsError, match="probe: received"):
        health_of(words)
