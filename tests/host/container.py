"""`python -m tests.host.container FILE`: a command as a container engine would run it.

In mount and network namespaces that whoever starts this has made (`ip netns exec NAME unshare --mount`): a
root of its own that holds the system's programs, the files it is given and nothing else, read-only where it
is said so; a user without rights. Limits of memory and processor are not set.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_READ_ONLY, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 32, 4096, 16_384, 1 << 18
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/dev", "/proc", "/sys")
_PEOPLE: Final = {0: "root", 472: "grafana", 999: "postgres", 1000: "appuser", 10001: "taishi"}


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2); OSError as the kernel says."""
    if _LIBC.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()):
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: {source} at {target}")


def run(given: dict[str, Any]) -> None:
    """Become it; does not return."""
    mount("none", "/", flags=_REC | _PRIVATE)
    root = Path(tempfile.mkdtemp(prefix="container-"))
    mount("tmpfs", str(root), "tmpfs", data="mode=0755")
    for path in (*_SYSTEM, *given["programs"]):
        _show(Path(path), root / path.lstrip("/"))
    targets = [Path(target) for _, target, _ in given["binds"]]
    _etc(root / "etc", {target.parts[2] for target in targets if target.is_relative_to("/etc")})
    for path in given["tmpfs"]:
        target = root / path.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        mount("tmpfs", str(target), "tmpfs", data="mode=1777")
    for source, target, read_only in given["binds"]:
        _show(Path(source), root / target.lstrip("/"), read_only=read_only)
    if given["read_only"]:
        mount("none", str(root), flags=_REMOUNT | _READ_ONLY)
    os.chroot(root)
    os.chdir("/")
    user, group = given["user"].split(":")
    words = ["setpriv", "--pdeathsig", "KILL", "--reuid", user, "--regid", group, "--clear-groups"]
    words += ["--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs", "--", *given["command"]]
    os.execvpe(words[0], words, given["environment"])  # noqa: S606


def _show(source: Path, target: Path, *, read_only: bool = False) -> None:
    """What is at the one path is at the other."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    target.mkdir(exist_ok=True) if source.is_dir() else target.touch()
    mount(str(source), str(target), flags=_BIND | _REC)
    if read_only:
        mount("none", str(target), flags=_REMOUNT | _BIND | _READ_ONLY)


def _etc(target: Path, taken: set[str]) -> None:
    """As here, but for what is given, and for the people: those of the images."""
    for source in Path("/etc").iterdir():
        if source.name not in taken | {"passwd", "group", "shadow", "netns"}:
            _show(source, target / source.name)
    people = "".join(f"{name}:x:{number}:{number}::/:/bin/sh\n" for number, name in _PEOPLE.items())
    (target / "passwd").write_text(people)
    (target / "group").write_text("".join(f"{name}:x:{number}:\n" for number, name in _PEOPLE.items()))


if __name__ == "__main__":
    run(json.loads(Path(sys.argv[1]).read_text("utf-8")))
