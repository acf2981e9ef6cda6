"""The manifests of a district, as data: commands, settings, probes, rights, networks are ones there are."""

import json
import re
from pathlib import Path

import pytest
import yaml

from deploy.embedded import stack
from deploy.embedded.settings import METRICS_OFFSETS
from deploy.probe import health_of
from schemas.topics import TOPICS, readings_topic
from taishi.cli.worker import LEAVE_S, parse_group
from taishi.settings import Settings, load_settings
from taishi.stack_settings import stack_settings
from tests.unit.deploy.kustomized import rendered
from tests.unit.deploy.test_compose_host import FOLDER, leads_to

ROOT = Path(__file__).parents[3]
BASE = ROOT / "deploy" / "kubernetes" / "base"
OVERLAY = ROOT / "deploy" / "kubernetes" / "overlays" / "370202"
OBJECTS = rendered(BASE)
RUNNING = {
    each["metadata"]["name"]: each for each in OBJECTS if each["kind"] in {"Deployment", "StatefulSet"}
}
PODS = {
    each["metadata"]["name"]: each["spec"]["template"]["spec"]
    for each in OBJECTS
    if each["kind"] in {"Deployment", "StatefulSet", "Job"}
}
FIRST_METRICS = Settings.model_fields["metrics_port"].default


def of_kind(kind):
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}


def containers(pod):
    return [*pod.get("initContainers", ()), *pod["containers"]]


def ours(pod):
    (found,) = (each for each in pod["containers"] if each["name"] == "taishi")
    return found


def settings_given(pod):
    maps = [each["configMapRef"]["name"].removeprefix("taishi-") for each in ours(pod)["envFrom"]]
    lines = [line for name in maps for line in (BASE / f"{name}.env").read_text("utf-8").splitlines()]
    return dict(line.split("=", 1) for line in lines) | {
        each["name"]: each["value"] for each in ours(pod).get("env", ())
    }


def files_given(pod):
    """Path of each file of a secret that our container is given -> the secret."""
    mounts = {each["name"]: each["mountPath"] for each in ours(pod)["volumeMounts"]}
    given = {}
    for volume in pod["volumes"]:
        sources = [part["secret"] for part in volume.get("projected", {}).get("sources", ())]
        if "secret" in volume:
            sources.append(volume["secret"])
        for secret in sources:
            for item in secret.get("items", ()):
                given[f"{mounts[volume['name']]}/{item['path']}"] = secret.get("name") or secret["secretName"]
    return given


def test_every_file_is_named_and_every_part_of_the_embedded_stack_has_a_workload():
    plan = yaml.safe_load((BASE / "kustomization.yaml").read_text("utf-8"))
    named = {*plan["resources"], *(patch["path"] for patch in plan["patches"]), "kustomization.yaml"}
    assert {path.name for path in BASE.glob("*.yaml")} == named
    settings = Settings(
        home="/nowhere", oncall_file="/nowhere/oncall.toml", outgoing=True, desk=True,
        kafka_address="kafka:9092", influxdb_address="https://influxdb:8086", mqtt_address="mosquitto:8883",
    )  # fmt: skip
    parts = {part.name for part in stack.declared(stack_settings(settings), Path("java"), demo=False)}
    assert set(PODS) == {name for name in parts if not name.startswith("prism-")}
    assert {name for name, pod in PODS.items() if any(c["name"] == "prism" for c in containers(pod))} == {
        name.replace("prism", "worker") for name in parts if name.startswith("prism-")
    }
    assert set(of_kind("StatefulSet")) == {name for name in PODS if name.startswith("worker-")}


@pytest.mark.parametrize("name", PODS)
def test_a_command_and_its_settings_are_ones_that_are_taken(name, tmp_path, monkeypatch):
    pod = PODS[name]
    assert leads_to(ours(pod)["command"]).callback is not None
    given = settings_given(pod)
    assert set(given) <= {f"TAISHI_{field.upper()}" for field in Settings.model_fields} | {
        "TAISHI_SECRETS_FOLDERS"
    }
    assert any(each["configMapRef"]["name"] == "taishi-settings" for each in ours(pod)["envFrom"])
    secrets = [Path(path).name for path in files_given(pod) if "/taishi_" in path]
    assert bool(secrets) == ("TAISHI_SECRETS_FOLDERS" in given)
    for secret in secrets:
        (tmp_path / secret).write_text("a secret\n")
    for key, value in (given | ({"TAISHI_SECRETS_FOLDERS": str(tmp_path)} if secrets else {})).items():
        monkeypatch.setenv(key, value)
    settings = load_settings()
    assert all(getattr(settings, secret.removeprefix("taishi_")) == "a secret" for secret in secrets)
    assert settings.kafka_bootstrap.security.protocol == (
        "PLAINTEXT" if name == "influxdb-database" else "SASL_SSL"  # which holds the administrator's token
    )


@pytest.mark.parametrize("name", PODS)
def test_every_secret_file_that_is_named_is_mounted(name):
    pod = PODS[name]
    values = settings_given(pod).values()
    named = {value for value in values if value.startswith(("/run/secrets/", "/run/kafka/"))}
    assert named <= set(files_given(pod))
    private = any(value.startswith("/run/private/") for value in values)
    assert private == any(each["name"] == "private" for each in containers(pod))


@pytest.mark.parametrize("name", RUNNING)
def test_probes_ask_what_the_part_serves(name):
    container = ours(PODS[name])
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert ports["metrics"] == FIRST_METRICS + METRICS_OFFSETS[name]
    doors = {"connect-http": "http_port", "desk": "desk_port", "outgoing": "outgoing_port"}
    assert ports.get("https") == (Settings.model_fields[doors[name]].default if name in doors else None)
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/metrics", "port": "metrics"}
    ready = container["readinessProbe"]
    if name in {"connect-http", "desk"}:
        assert ready["httpGet"] == {"path": "/health", "port": "https", "scheme": "HTTPS"}
    elif name == "pages":
        health = health_of(ready["exec"]["command"][3:])
        assert (health.port, health.path) == (Settings.model_fields["pages_port"].default, "/ready")
    else:
        assert ready["httpGet"] == {"path": "/metrics", "port": "metrics"}


@pytest.mark.parametrize("name", [name for name in RUNNING if name.startswith("worker-")])
def test_a_worker_has_its_prism_beside_it_before_it_starts(name):
    (prism,) = (each for each in PODS[name]["initContainers"] if each["name"] == "prism")
    port = Settings.model_fields[f"{name.replace('worker-', 'prism_')}_port"].default
    assert prism["restartPolicy"] == "Always"
    assert f"--job_port={port}" in prism["command"]
    for probe in ("startupProbe", "livenessProbe"):
        health = health_of(prism[probe]["exec"]["command"][3:])
        assert (health.protocol, health.port) == ("http2", port)


@pytest.mark.parametrize("name", [name for name in RUNNING if name.startswith("worker-")])
def test_workers_share_their_shards_and_hand_them_over_before_they_are_killed(name):
    workload, pod = RUNNING[name]["spec"], PODS[name]
    assert ours(pod)["command"] == ["taishi", "worker", name.removeprefix("worker-"), "--group", "district"]
    assert parse_group(ours(pod)["command"][-1], "") == "district"
    # More than a domain has partitions would only stand by.
    assert 2 <= workload["replicas"] <= TOPICS[readings_topic("parking")].partitions
    assert workload["podManagementPolicy"] == "Parallel"
    assert pod["terminationGracePeriodSeconds"] > LEAVE_S
    (spread,) = pod["topologySpreadConstraints"]
    labels = workload["template"]["metadata"]["labels"]
    assert spread["labelSelector"]["matchLabels"].items() <= labels.items()
    assert set(spread["matchLabelKeys"]) <= labels.keys()
    # Every one of them is asked for its metrics: each tells of its own shards.
    assert of_kind("Service")[name]["spec"]["clusterIP"] == "None"


@pytest.mark.parametrize("name", PODS)
def test_pods_pass_the_restricted_standard_and_are_limited(name):
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(pod):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        for bound in ("requests", "limits"):
            assert set(container["resources"][bound]) == {"cpu", "memory"}
        assert container["image"] == "taishi" or re.search(r":\d+\.\d+\.\d+", container["image"])
        declared = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} <= declared


def test_every_workload_may_be_moved_and_is_found_by_its_name():
    budgets, services = of_kind("PodDisruptionBudget"), of_kind("Service")
    assert set(budgets) == set(services) == set(RUNNING)
    for name in RUNNING:
        assert budgets[name]["spec"]["selector"]["matchLabels"] == services[name]["spec"]["selector"]
        labels = RUNNING[name]["spec"]["template"]["metadata"]["labels"]
        assert services[name]["spec"]["selector"].items() <= labels.items()
        assert RUNNING[name]["spec"].get("serviceName", name) == name
        (metrics,) = (port for port in services[name]["spec"]["ports"] if port["name"] == "metrics")
        assert metrics["port"] == FIRST_METRICS + METRICS_OFFSETS[name]
    hosts = json.loads(settings_given(PODS["sources"])["TAISHI_METRICS_HOSTS"])
    assert hosts == {name: name for name in RUNNING if name != "sources"}


def allowed(policy):
    """Names of the pods that a policy is of; None for all of the district."""
    selector = of_kind("NetworkPolicy")[policy]["spec"]["podSelector"]
    return set(selector["matchExpressions"][0]["values"]) if "matchExpressions" in selector else None


def test_nothing_speaks_to_anything_that_it_has_no_use_for():
    closed = of_kind("NetworkPolicy")["nothing"]["spec"]
    assert closed["policyTypes"] == ["Ingress", "Egress"]
    assert not closed.keys() & {"ingress", "egress"}
    assert allowed("nothing") is None
    tokens = {
        name for name, pod in PODS.items() if any("influxdb_token" in path for path in files_given(pod))
    }
    assert allowed("store") == tokens
    people = {
        name for name, pod in PODS.items() if any("operations_database" in path for path in files_given(pod))
    }
    assert allowed("operations") == people
    doors = {
        name
        for name, pod in PODS.items()
        for c in pod["containers"]
        for p in c.get("ports", ())
        if p["name"] == "https"
    }
    assert allowed("doors") == doors
    assert allowed("log") == set(PODS) - {"influxdb-database"}
    assert allowed("metrics") == set(RUNNING)


def test_no_secret_stands_in_the_files_and_the_administrators_token_is_with_one_job():
    assert not of_kind("Secret")
    assert {n for n, pod in PODS.items() if "taishi-influxdb-admin" in files_given(pod).values()} == {
        "influxdb-database"
    }
    writes = {name for name, pod in PODS.items() if "taishi-influxdb-writer" in files_given(pod).values()}
    assert writes == {"worker-situation", "sources"}


def test_the_overlay_is_of_one_district_and_its_namespace_is_restricted():
    plan = yaml.safe_load((OVERLAY / "kustomization.yaml").read_text("utf-8"))
    (namespace,) = yaml.safe_load_all((OVERLAY / "namespace.yaml").read_text("utf-8"))
    assert plan["namespace"] == namespace["metadata"]["name"] == "taishi-370202"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    literals = [line for each in plan["configMapGenerator"] for line in each.get("literals", ())]
    assert literals == ["TAISHI_DISTRICT=370202"]
    assert all(
        (OVERLAY / path).is_file() for each in plan["configMapGenerator"] for path in each.get("files", ())
    )
    (change,) = yaml.safe_load(plan["patches"][0]["patch"])
    leads_to(change["value"])
    assert PODS["topics"]["containers"][0]["command"] == change["value"][:3]


def test_the_door_of_the_pages_is_the_same_everywhere():
    assert (BASE / "pages.conf").read_text("utf-8") == (FOLDER / "nginx" / "pages.conf").read_text("utf-8")


def test_photos_outlive_the_desk():
    desk = PODS["desk"]
    mounts = {each["mountPath"]: each["name"] for each in ours(desk)["volumeMounts"]}
    (volume,) = (each for each in desk["volumes"] if each["name"] == mounts["/var/lib/taishi/data/photos"])
    assert volume["persistentVolumeClaim"]["claimName"] in of_kind("PersistentVolumeClaim")
