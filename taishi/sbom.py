"""The software bill of materials of an installation: CycloneDX 1.6 of its lock and its programs. Pure.

The same lock gives the same document, byte for byte: it holds no time and no random number.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deploy.embedded.fetch import Artifact, Jars
from schemas.errors import SettingsError

__all__ = ["Locked", "bill", "read_lock"]

_ROOT, _DEV_ROOT = "taishi (pyproject.toml)", "taishi (pyproject.toml:dev)"
_PINNED: Final = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)(?:\s*;\s*(.+?))?\s*\\?$")
_HASH: Final = re.compile(r"\s+--hash=sha256:([0-9a-f]{64})\s*\\?$")
_VIA: Final = re.compile(r"\s+#(?: via)?\s*(.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A package of the lock. `hashes`: SHA-256 of each file it may come in. `via`: who asks for it."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    via: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its package URL, under its normalised name (PEP 503)."""
        return f"pkg:pypi/{re.sub(r'[-_.]+', '-', self.name).lower()}@{self.version}"


def read_lock(text: str) -> list[Locked]:
    """The packages of a lock that pip installs with --require-hashes.

    SettingsError names each line that pins no version, and each package without a hash.
    """
    found: list[tuple[re.Match[str], list[str], list[str]]] = []
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        if pinned := _PINNED.match(line):
            found.append((pinned, [], []))
        elif found and (digest := _HASH.match(line)):
            found[-1][1].append(digest[1])
        elif found and (via := _VIA.match(line)):
            found[-1][2].extend(filter(None, [via[1]]))
        elif line.strip():
            problems.append(f"line {number}: received {line.strip()!r}, allowed: NAME==VERSION, its hashes")
    problems += [f"{pinned[1]}: received no hash, allowed: sha256" for pinned, own, _ in found if not own]
    if problems or not found:
        raise SettingsError(f"lock: {'; '.join(problems) or 'received no package'}")
    return [
        Locked(name=pin[1], version=pin[2], marker=pin[3] or "", hashes=tuple(own), via=tuple(via))
        for pin, own, via in found
    ]


def bill(packages: Iterable[Locked], programs: Iterable[Artifact], version: str) -> dict[str, Any]:
    """The document: what runs is `required`, what only tests and tools need is `excluded`."""
    packages, programs = list(packages), list(programs)
    needed = _needed(packages)
    components = [_package(each, needed) for each in packages] + [_program(each) for each in programs]
    content = repr((version, components)).encode().hex()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": "taishi", "name": "taishi", "version": version}
        },
        "components": components,
        "dependencies": _dependencies(packages, programs),
    }


def _package(package: Locked, needed: frozenset[str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "scope": "required" if package.name in needed else "excluded",
        "hashes": [{"alg": "SHA-256", "content": each} for each in package.hashes],
    }
    if package.marker:
        made["properties"] = [{"name": "taishi:marker", "value": package.marker}]
    return made


def _program(program: Artifact) -> dict[str, Any]:
    """Kafka's jars are checked by Maven's checksums, Go programs by the checksum database, when fetched."""
    purl = _purl(program)
    facts = {"name": program.name, "version": program.version, "purl": purl, "scope": "required"}
    return {"type": "application", "bom-ref": purl, **facts}


def _purl(program: Artifact) -> str:
    if isinstance(program, Jars):
        group, name, version = program.coordinates.partition("+")[0].split(":")
        return f"pkg:maven/{group}/{name}@{version}"
    path, _, version = program.package.partition("@")
    module, _, command = path.partition("/cmd/")
    return f"pkg:golang/{module}@{version}#cmd/{command}"


def _needed(packages: Iterable[Locked]) -> frozenset[str]:
    """Names of what Taishi itself asks for, and what that asks for in turn."""
    asked: dict[str, set[str]] = {}
    for each in packages:
        for by in each.via:
            asked.setdefault(by, set()).add(each.name)
    return frozenset(_reached(_ROOT, asked))


def _reached(start: str, asked: Mapping[str, set[str]]) -> set[str]:
    found, new = set[str](), {start}
    while new:
        new = {name for by in new for name in asked.get(by, ())} - found
        found |= new
    return found


def _dependencies(packages: Iterable[Locked], programs: Iterable[Artifact]) -> list[dict[str, Any]]:
    packages = list(packages)
    asked: dict[str, list[str]] = {each.name: [] for each in packages}
    own = [_purl(each) for each in programs]
    for each in packages:
        for by in each.via:
            (own if by in {_ROOT, _DEV_ROOT} else asked[by]).append(each.purl)
    refs = {package.purl: sorted(set(asked[package.name])) for package in packages}
    return [{"ref": ref, "dependsOn": on} for ref, on in {"taishi": sorted(set(own)), **refs}.items()]
