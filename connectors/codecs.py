"""Finding codecs: a folder of `connectors/` with a `decode.py` is one, by the folder's name.

A new format is a new folder and nothing else: `decode.py` with a `CODEC` (a frozen msgspec struct
whose fields are the format's options, with a `decode` method), a README.md, a `sample.*` and
`testcases/<case>/{input.*,expected.json}`. The contract test walks the folders and holds each to that.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import msgspec

from connectors.base import Codec
from schemas.errors import SettingsError, received_allowed

__all__ = ["Wrapper", "codec_names", "load_codecs", "personal_names"]

_FOLDER: Final = Path(__file__).parent
_TRANSPORTS: Final = {"file", "http", "mqtt"}


@runtime_checkable
class Wrapper(Protocol):
    """A `CODEC` that reads an envelope only; what is inside goes to other codecs, with their own options."""

    def inner(self) -> Iterable[str]:
        """The names of the codecs it passes to; never its own."""
        ...

    def around(self, codecs: Mapping[str, Codec]) -> Codec:
        """The codec that does the work, with those it named."""
        ...


def codec_names() -> tuple[str, ...]:
    """Every codec there is, in alphabetical order."""
    folders = {path.parent.name for path in _FOLDER.glob("*/decode.py")}
    return tuple(sorted(folders - _TRANSPORTS))


def load_codecs(names: Iterable[str], options: Mapping[str, Mapping[str, Any]]) -> dict[str, Codec]:
    """The named codecs with their options; SettingsError for an unknown codec or option."""
    for name in options:
        _known(name)
    return {name: _load(name, options) for name in dict.fromkeys(names)}


def personal_names() -> frozenset[str]:
    """JSON keys and XML elements whose values are personal in one codec or another."""
    modules = (importlib.import_module(f"connectors.{codec}.decode") for codec in codec_names())
    return frozenset(name for module in modules for name in module.PERSONAL)


def _known(name: str) -> str:
    if name not in codec_names():
        raise SettingsError(received_allowed("codec", name, codec_names()))
    return name


def _load(name: str, options: Mapping[str, Mapping[str, Any]]) -> Codec:
    module = importlib.import_module(f"connectors.{_known(name)}.decode")
    try:
        codec: Codec | Wrapper = msgspec.convert(dict(options.get(name, {})), module.CODEC)
    except msgspec.ValidationError as error:
        raise SettingsError(f"options of codec {name}: {error}") from error
    if isinstance(codec, Wrapper):
        return codec.around({each: _load(each, options) for each in dict.fromkeys(codec.inner())})
    return codec
