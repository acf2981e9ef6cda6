"""S12: no secret in the tree, every package pinned and hashed, a bill of materials, no sample password.

Rights of containers (no root, read-only, pinned images): `tests/unit/deploy`.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.fetch import ARTIFACTS
from schemas.errors import SettingsError
from taishi.sbom import bill, read_lock
from taishi.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
SHAPES = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}",
    "AWS key": r"\bAKIA[0-9A-Z]{16}\b",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}\b",
    "Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    "JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "robot of a chat": r"(?:access_token|webhook/send\?key)=[0-9a-f-]{32,}",
    "password in a URL": r"\b[a-z][a-z0-9+.-]*://[^\s:/@\"'{}<]+:(?!(?i:password)@)[^\s:/@\"'{}<$]{8,}@[\w.-]+",
    "assigned": r"(?i)(?:password|passwd|secret|token|api_?key)[\w-]*[\"']?\s*[:=]\s*[\"']"
    r"(?P<value>[A-Za-z0-9+/_=-]{20,})[\"']",
}
RANDOM_BITS = 3.7
"""Entropy a character from which on an assigned word is no word: `correct horse battery` has 3.2."""


def secrets_in(text: str) -> Iterator[str]:
    """What looks like one, by its shape."""
    for name, shape in SHAPES.items():
        for found in re.finditer(shape, text):
            value = found.groupdict().get("value")
            if value is None or bits_a_character(value) >= RANDOM_BITS:
                yield f"{name}: {found[0][:24]}…"


def bits_a_character(text: str) -> float:
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)


def files() -> list[Path]:
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_file_of_the_tree_holds_a_secret() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): told
        for path in files()
        if (told := list(secrets_in(path.read_bytes().decode("utf-8", "replace"))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN EC PRIVATE " + "KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY",
        "aws = AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
        "https://oapi.dingtalk.com/robot/send?access_token" + "=" + "0a1b2c3d" * 8,
        "postgresql://desk:" + "f9Xq27LmWz" + "@db/desk",
        'influxdb_token = "' + "qX9vB2mL7kR4tY8wZ1nC5jH3" + '"',
    ],
)
def test_the_scan_sees_what_it_looks_for(text: str) -> None:
    assert list(secrets_in(text))


def test_every_package_of_the_lock_is_pinned_and_hashed() -> None:
    packages = read_lock(LOCK)
    assert len(packages) > 150
    assert all(each.hashes and each.version for each in packages)


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        ("click==8.3.0\n    # via taishi (pyproject.toml)\n", "click: received no hash, allowed: sha256"),
        ("click>=8.3\n", "line 1: received 'click>=8.3', allowed: NAME==VERSION"),
        ("click==8.3.0 \\\n    --hash=md5:00\n", "line 2: received '--hash=md5:00'"),
        ("-e git+ssh://elsewhere/x\n", "line 1: received"),
        ("", "received no package"),
    ],
)
def test_a_lock_that_leaves_something_open_is_refused_by_line(lock: str, words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)):
        read_lock(lock)


def test_the_bill_names_every_package_once_with_its_hashes_and_what_runs() -> None:
    made = bill(read_lock(LOCK), ARTIFACTS.values(), "0.1.0")
    refs = [each["bom-ref"] for each in made["components"]]
    assert len(refs) == len(set(refs)) == len(read_lock(LOCK)) + len(ARTIFACTS)
    known = {"taishi", *refs}
    assert {ref for each in made["dependencies"] for ref in (each["ref"], *each["dependsOn"])} == known
    scopes = {each["name"]: each["scope"] for each in made["components"]}
    assert (scopes["click"], scopes["cryptography"], scopes["pytest"]) == ("required", "required", "excluded")
    assert {"kafka", "influxd", "prism"} <= set(scopes)
    assert json.dumps(made) == json.dumps(bill(read_lock(LOCK), ARTIFACTS.values(), "0.1.0"))


def test_what_pyproject_asks_for_is_in_the_lock() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    names = [*asked["project"]["dependencies"], *asked["dependency-groups"]["dev"]]
    known = {re.sub(r"[-_.]+", "-", each.name).lower() for each in read_lock(LOCK)}
    assert {re.split(r"[\[<>=!~ ;]", name)[0].lower() for name in names} <= known


@pytest.mark.parametrize(
    "secret", ["changeme", "Password123!", "admin", "admin:admin", "taishi2026", "…", "12345678"]
)
@pytest.mark.parametrize("name", ["influxdb_token", "mqtt_password", "http_token", "grafana_token"])
def test_a_password_of_an_example_is_refused_at_the_start(name: str, secret: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: received a sample password") as told:
        load_settings(**{name: secret})
    assert secret not in str(told.value)


def test_so_is_one_in_the_url_of_the_database_or_of_a_poll() -> None:
    with pytest.raises(SettingsError, match="operations_database: received a sample password"):
        load_settings(operations_database="postgresql+psycopg://taishi:PASSWORD@postgres/taishi")
    with pytest.raises(SettingsError, match=r"polls\.gate\.password: received a sample password"):
        load_settings(polls={"gate": {"url": "https://gate.example/", "codec": "onvif", "password": "admin"}})


def test_passwords_of_ones_own_are_taken() -> None:
    own = "kR4tY8wZ1nC5jH3q"
    made = load_settings(
        operations_database=f"postgresql+psycopg://taishi:{own}@postgres/taishi",
        influxdb_token=f"taishi:{own}",
        mqtt_password=own,
    )
    assert made.mqtt_password == own
