"""Logs of readings through the fold: what several tests do with it."""

import json

import numpy as np

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.fold import fold
from pipelines.kernels.plan import SCALE, plan_for
from pipelines.kernels.state import ACCOUNTS, FoldSettings, ShardState
from pipelines.kernels.state_codec import state_from_bytes, state_to_bytes
from schemas.kinds import KINDS

T0 = 1_795_400_000_000
SHORT = FoldSettings(window_s=(1, 3), delay_ms=2_000, lateness_ms=12_000, skew_max_ms=4_000)
LONG = FoldSettings((1, 3, 30), delay_ms=2_000, lateness_ms=12_000, skew_max_ms=4_000, long_s=3)
"""Panes leave before the window of half a minute closes, as those of an hour do."""


def encode(log):
    """As connectors write them: without a space."""
    return [
        None if reading is None else json.dumps(reading, separators=(",", ":")).encode()
        for _, _, reading in log
    ]


def batches(log, sizes, begin=0):
    """The log, whose first offset is `begin` at least, cut into batches of the given sizes, over and over."""
    start, turn = 0, 0
    values = encode(log)
    while start < len(log):
        stop = min(len(log), start + sizes[turn % len(sizes)])
        part = log[start:stop]
        yield ShardBatch(
            "readings.x/0",
            part[0][0] if start else begin,
            log[stop][0] if stop < len(log) else log[-1][0] + 1,
            np.array([offset for offset, _, _ in part], np.int64),
            np.array([append_ms for _, append_ms, _ in part], np.int64),
            values[start:stop],
        )
        start, turn = stop, turn + 1


def run(domain, log, sizes, fold_settings=SHORT, *, reload=False):
    """All upserts as the oracle writes them, and the accounts."""
    state, upserts = ShardState(domain), []
    names = plan_for(domain).measures
    for batch in batches(log, sizes):
        if reload:
            state = state_from_bytes(fold_settings, state_to_bytes(fold_settings, state))
        for flush in fold(fold_settings, state, batch).flushes:
            for block in flush.blocks:
                for grid, row in zip(block.grids, block.values, strict=True):
                    values = dict(zip(names, (row / SCALE).tolist(), strict=True))
                    upserts.append((flush.revision, block.window_s, block.start_ms, grid, values))
    accounts = dict(zip(ACCOUNTS, state.accounts.sum(axis=1).tolist(), strict=True))
    return upserts, accounts, state


def final_values(upserts):
    """Window -> its last values; a window of zeros is the same as none."""
    last = {
        key: {m: round(v, 6) for m, v in values.items()}
        for _, *key_, values in upserts
        for key in [tuple(key_)]
    }
    return {key: values for key, values in last.items() if any(values.values())}


def reading(domain="parking", **given_fields):
    kind = next(k for k in KINDS.values() if k.domain == domain)
    return {
        "id": "", "kind": kind.name, "metric": kind.metrics[0].name, "value": 1, "device": "d1", "grid": "g1",
        "source": "mqtt.test", "observed_at_ms": T0, "received_at_ms": T0, "seq": 0, "subject": "",
        "simulated": False,
    } | given_fields  # fmt: skip
