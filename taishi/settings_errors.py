"""What is wrong with settings, said so that it can be mended: where it stands, which one, received, allowed.

Secrets, and what may be one (the value of an unknown name), are never repeated.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic.fields import FieldInfo

__all__ = ["misspelt_variables", "unparsed_words", "wrong_words"]

_PREFIX: Final = "TAISHI_"
_HIDDEN: Final = "what is kept secret"
_LIKE: Final = 0.9
"""From how alike on an unknown variable is a slip of a setting's: others have TAISHI_ names too."""


def wrong_words(error: ValidationError, fields: Mapping[str, FieldInfo], file: Path) -> str:
    """All that pydantic refused, one after the other."""
    return "; ".join(_words(each, fields, file) for each in error.errors())


def _words(found: Any, fields: Mapping[str, FieldInfo], file: Path) -> str:
    name = str(found["loc"][0])
    where = _place(name, file) + ".".join(map(str, found["loc"]))
    if name not in fields:
        near = difflib.get_close_matches(name, fields, n=3, cutoff=0.6) or ["those of taishi/settings.py"]
        return f"{where}: received an unknown setting, allowed: {', '.join(near)}"
    received = repr(found["input"]) if fields[name].repr else _HIDDEN
    return f"{where}: received {received}, allowed: {found['msg'].removeprefix('Input should be ')}"


def _place(name: str, file: Path) -> str:
    """Where the value came from: the variable wins over the file."""
    if _variable(name) in os.environ:
        return f"{_variable(name)}: "
    return f"{file}: " if file.is_file() else ""


def _variable(name: str) -> str:
    return _PREFIX + name.upper()


def unparsed_words(error: ValueError, fields: Mapping[str, FieldInfo]) -> str:
    """What to say of a variable that should be JSON and is not; pydantic names the field in quotes."""
    name = str(error).split('"')[1]
    field = fields[name]
    received = repr(os.environ.get(_variable(name), "")) if field.repr else _HIDDEN
    return f"{_variable(name)}: received {received}, allowed: JSON, such as {json.dumps(field.default)}"


def misspelt_variables(names: Iterable[str], fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    """A line for each variable that is no setting's and nearly one."""
    known = [name.upper() for name in fields]
    for name in sorted(names):
        bare = name.removeprefix(_PREFIX)  # all share the prefix: with it any two of them would be alike
        if bare != name and bare not in known:
            near = difflib.get_close_matches(bare, known, n=1, cutoff=_LIKE)
            if near:
                yield f"{name}: received an unknown variable, allowed: {_PREFIX}{near[0]}"
