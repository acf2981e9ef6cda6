"""The states of silence and storms as bytes and back: msgpack of the dataclass, zstd. Versioned."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

import msgspec
import zstandard

from pipelines.kernels.watch.silence import SilenceState
from pipelines.kernels.watch.storms import StormState
from schemas.errors import OutdatedState, received_allowed

__all__ = ["SILENCE", "STORMS", "Codec"]

State = TypeVar("State")


class _Versioned(msgspec.Struct, frozen=True):
    version: int


class Codec(Generic[State]):
    """One kind of state. Raise `version` when its form changes: the log then makes the state anew."""

    def __init__(self, kind: type[State], name: str, version: int) -> None:
        self._kind, self._name, self._version = kind, name, version
        self._encode = msgspec.msgpack.Encoder().encode

    def to_bytes(self, state: State) -> bytes:
        """The state, complete."""
        head = self._encode(_Versioned(self._version))
        return zstandard.ZstdCompressor(level=1).compress(self._encode([head, self._encode(state)]))

    def from_bytes(self, data: bytes) -> State:
        """The state; OutdatedState when its form is another release's."""
        raw = zstandard.ZstdDecompressor().decompress(data)
        head, body = msgspec.msgpack.decode(raw, type=tuple[bytes, bytes])
        version = msgspec.msgpack.decode(head, type=_Versioned).version
        if version != self._version:
            what = f"checkpoint version of {self._name}"
            raise OutdatedState(received_allowed(what, version, (self._version,)))
        return msgspec.msgpack.decode(body, type=self._kind)


SILENCE: Final = Codec(SilenceState, "silence", 1)
STORMS: Final = Codec(StormState, "storms", 1)
