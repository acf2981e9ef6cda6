"""What `deploy/compose/host/compose.yaml` says of each service, as `container.py` wants it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "deploy" / "compose" / "host"
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
_OWNERS: Final = re.compile(r"^\| (`[\w.`, ]+`) \|.*\| (\d+) \|$", re.MULTILINE)


def services(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """By name, its variables replaced."""
    text = (FOLDER / "compose.yaml").read_text("utf-8")
    told = yaml.safe_load(_VARIABLE.sub(lambda of: _value(of, environment), text))
    found: dict[str, dict[str, Any]] = told["services"]
    return found


def names() -> list[str]:
    """Of all services, as hosts call each other."""
    return list(yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))["services"])


def _value(of: re.Match[str], environment: Mapping[str, str]) -> str:
    name, how, text = of.groups()
    if name in environment:
        return environment[name]
    if how != "-":
        raise KeyError(f"{name}: {text}")
    return str(text)


def owners() -> dict[str, int]:
    """Secret -> whose it is, as docs/deploy.md tells the operator."""
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    rows = _OWNERS.findall(text)
    return {name: int(owner) for names, owner in rows for name in re.findall(r"`([^`]+)`", names)}


def binds(service: Mapping[str, Any], secrets: Path, volumes: Path) -> Iterator[tuple[str, str, bool]]:
    """(what is here, where it is there, read-only) of its secrets and volumes."""
    for volume in service.get("volumes", ()):
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            source = str((FOLDER / source).resolve())
        elif not source.startswith("/"):
            source = str(volumes / source)
        yield source, target, mode == ["ro"]
    for secret in service.get("secrets", ()):
        source, target = (secret, secret) if isinstance(secret, str) else (secret["source"], secret["target"])
        yield str(secrets / source), target if target.startswith("/") else f"/run/secrets/{target}", True


def tmpfs(service: Mapping[str, Any]) -> list[str]:
    """Where it has memory to write to."""
    return [each.partition(":")[0] for each in service.get("tmpfs", ())]


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    """As the process finds it."""
    return {name: str(value) for name, value in (service.get("environment") or {}).items()}


def in_order(every: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names, each after all it depends on that is among them."""
    order: list[str] = []

    def place(name: str) -> None:
        if name in every and name not in order:
            for other in every[name].get("depends_on", {}):
                place(other)
            order.append(name)

    for name in every:
        place(name)
    return order


def kafka_properties(service: Mapping[str, Any]) -> str:
    """As the image makes them of its environment: KAFKA_LOG_DIRS is log.dirs."""
    return "".join(
        f"{name.removeprefix('KAFKA_').lower().replace('_', '.')}={value}\n"
        for name, value in environment(service).items()
        if name.startswith("KAFKA_") and name not in {"KAFKA_OPTS", "KAFKA_HEAP_OPTS"}
    )
