"""Planted bugs: the product with one line deliberately wrong, to prove that the simulation can fail."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest
from confluent_kafka import KafkaException

from operations.oncall.service import Teller
from pipelines.io import checkpoints
from pipelines.io.claims import Claims
from pipelines.io.sink import KafkaSink
from pipelines.io.source import ShardSource
from pipelines.jobs import aggregate
from pipelines.jobs.line import LineRuntime
from pipelines.kernels import fold as folding
from pipelines.kernels.panes import IdentitySet
from pipelines.kernels.signals import fold as signals
from tests.simulation import edge

if TYPE_CHECKING:
    from tests.simulation.patches import Running

Plant = Callable[[pytest.MonkeyPatch, "Running"], None]


def checkpoint_before_output(patch: pytest.MonkeyPatch, _now: Running) -> None:
    write = LineRuntime.write

    def wrong(line: LineRuntime[Any, Any], outputs: Any) -> None:
        for shard in line.states():
            line.checkpoint(shard)
        write(line, outputs)

    patch.setattr(LineRuntime, "write", wrong)


def checkpoint_before_posted_is_confirmed(patch: pytest.MonkeyPatch, _now: Running) -> None:
    """What was posted and the checkpoint after it are sent together, and may arrive in any order."""
    save = LineRuntime._save

    def wrong(line: LineRuntime[Any, Any], *held: Any) -> None:
        confirm = line.sink.confirm
        with pytest.MonkeyPatch.context() as once:
            once.setattr(line.sink, "confirm", lambda: once.setattr(line.sink, "confirm", confirm))
            save(line, *held)

    patch.setattr(LineRuntime, "_save", wrong)


def resume_off_by_one(patch: pytest.MonkeyPatch, _now: Running) -> None:
    def wrong(source: ShardSource) -> None:
        source._fetched.clear()
        source._reader.assign({shard: at + (at > 0) for shard, at in source._next.items()})

    patch.setattr(ShardSource, "_assign", wrong)


def short_memory_of_duplicates(patch: pytest.MonkeyPatch, _now: Running) -> None:
    fold = aggregate.fold

    def wrong(settings: Any, state: Any, batch: Any) -> Any:
        output = fold(settings, state, batch)
        for pane in (pane for number, pane in state.panes.items() if number < state.closed):
            pane.change()
            pane._content.seen = IdentitySet()
        return output

    patch.setattr(aggregate, "fold", wrong)


def stale_owner_accepted(patch: pytest.MonkeyPatch, _now: Running) -> None:
    """Nobody looks at claims, and of two checkpoints the one written last counts."""
    patch.setattr(Claims, "superseded", lambda _claims: {})
    patch.setattr(checkpoints, "newest", lambda found: {(each.job, each.shard): each for each in found})


def revision_per_flush(patch: pytest.MonkeyPatch, _now: Running) -> None:
    flush, number = folding.flush, count()
    patch.setattr(
        folding,
        "flush",
        lambda plan, settings, state, mark, _offset: flush(plan, settings, state, mark, next(number)),
    )


def wall_clock_in_an_id(patch: pytest.MonkeyPatch, now: Running) -> None:
    alert_id = signals.alert_id

    def wrong(rule: str, place: str, onset_ms: int, what: str = "") -> str:
        return alert_id(rule, place, onset_ms, f"{what}{now.world.now_ms}")

    patch.setattr(signals, "alert_id", wrong)


def swallowed_failed_write(patch: pytest.MonkeyPatch, _now: Running) -> None:
    """What the log refused counts as written, when it is asked for and before."""
    confirm = KafkaSink.confirm

    def wrong(sink: KafkaSink) -> None:
        try:
            confirm(sink)
        except KafkaException:
            sink._refused.clear()

    patch.setattr(KafkaSink, "confirm", wrong)
    patch.setattr(KafkaSink, "_check", lambda sink: sink._refused.clear())


def confirmed_before_the_log(patch: pytest.MonkeyPatch, _now: Running) -> None:
    append = edge._append

    def wrong(*given: Any) -> bool:
        append(*given)
        return True

    patch.setattr(edge, "_append", wrong)


def occurrences_not_recalled(patch: pytest.MonkeyPatch, _now: Running) -> None:
    patch.setattr(edge.Occurrences, "recall", lambda _held, _signal: None)


def marked_before_told(patch: pytest.MonkeyPatch, now: Running) -> None:
    """A notification counts as sent before a channel has taken it."""
    send = Teller._send

    def wrong(teller: Teller, outgoing: Any) -> None:
        teller._store.sent(outgoing.note.key, "json", now.world.desk_ms())
        send(teller, outgoing)

    patch.setattr(Teller, "_send", wrong)


PLANTED: Final[dict[str, tuple[Plant, str]]] = {
    "checkpoint before output confirmed": (checkpoint_before_output, "outputs written to"),
    "checkpoint before posted is confirmed": (checkpoint_before_posted_is_confirmed, "on their way"),
    "resume off by one": (resume_off_by_one, "received|alerts|said"),
    "duplicate memory shorter than lateness": (short_memory_of_duplicates, "figures|said|windows"),
    "stale owner's checkpoint accepted": (stale_owner_accepted, "its checkpoint says"),
    "revision counted per flush": (revision_per_flush, "closed to|went back|said"),
    "wall clock in an alert id": (wall_clock_in_an_id, "an alert without a signal"),
    "swallowed failed write": (swallowed_failed_write, "alerts|figures|refused|late"),
    "confirmed before the log has it": (confirmed_before_the_log, "figures|alerts|refused|late"),
    "occurrences not recalled": (occurrences_not_recalled, "alerts"),
    "marked as sent before it is told": (marked_before_told, "never told"),
}
"""What is wrong -> how, and what of the simulation's words tells of it."""
