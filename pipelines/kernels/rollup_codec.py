"""The roll-up's state as bytes and back; versioned, zstd-compressed."""

from __future__ import annotations

from typing import Final

import msgspec
import zstandard

from pipelines.kernels.plan import plan_for
from pipelines.kernels.rollup import RollupState, Span
from schemas.errors import SettingsError
from schemas.kinds import DOMAINS, Domain

__all__ = ["VERSION", "rollup_from_bytes", "rollup_to_bytes"]

VERSION: Final = 1


class _Content(msgspec.Struct, frozen=True):
    version: int
    measures: dict[Domain, tuple[str, ...]]
    state: list[tuple[Domain, int, int, msgspec.Raw]]
    rest: msgspec.Raw


class _Rest(msgspec.Struct, frozen=True):
    next_offset: int
    clock_ms: int
    progress: dict[Domain, dict[str, int]]
    shards: dict[Domain, int]


def rollup_to_bytes(state: RollupState) -> bytes:
    """The state, complete."""
    pack = msgspec.msgpack.encode
    rest = _Rest(state.next_offset, state.clock_ms, state.progress, state.shards)
    content = _Content(
        version=VERSION,
        measures={domain: plan_for(domain).measures for domain in DOMAINS},
        state=[(*key, msgspec.Raw(pack(span))) for key, span in state.spans.items()],
        rest=msgspec.Raw(pack(rest)),
    )
    return zstandard.ZstdCompressor(level=1).compress(pack(content))


def rollup_from_bytes(data: bytes) -> RollupState:
    """The state `rollup_to_bytes` was given; SettingsError if its measures are not today's."""
    content = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(data), type=_Content)
    today = {domain: plan_for(domain).measures for domain in DOMAINS}
    if content.version != VERSION or content.measures != today:
        raise SettingsError(
            f"checkpoint of situation: received version {content.version} with other measures than today's; "
            "restart with --from-oldest to rebuild from the topic `windows`"
        )
    rest = msgspec.msgpack.decode(content.rest, type=_Rest)
    state = RollupState(rest.next_offset, rest.clock_ms, {}, rest.progress, rest.shards)
    for domain, window_s, start_ms, raw in content.state:
        state.spans[domain, window_s, start_ms] = msgspec.msgpack.decode(raw, type=Span)
    return state
