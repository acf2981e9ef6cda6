"""Claims, epochs and checkpoints of workers that die, pause and overlap, step by step in any order."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from pipelines.io.checkpoints import Checkpoint, newest
from pipelines.kernels.ownership import FIRST_EPOCH, Ownership, epoch_after

SHARD = "readings.parking/0"
LOG = tuple(range(1, 13))
"""The shard's records; the fold adds them up and says the sum after each; its revision is the offset."""
EVERY_WINDOW = {offset: sum(LOG[: offset + 1]) for offset in range(len(LOG))}


def test_the_newest_claim_of_a_shard_counts_in_whatever_order_they_are_heard():
    mine = Ownership()
    mine.take("a", 5)
    mine.take("b", 6)
    for shard, at, owner in (
        ("a", 9, "two"),
        ("a", 7, "one"),
        ("b", 6, "me"),
        ("b", 2, "before"),
        ("c", 99, "x"),
    ):
        mine.hear(shard, at, owner)
    assert mine.superseded() == {"a": "two"}
    mine.release("a")
    assert mine.superseded() == {}
    mine.take("a", 12)  # given back to us
    assert mine.superseded() == {}


def test_an_epoch_is_above_all_before_it_also_when_claims_begin_again():
    assert epoch_after(0, None) == FIRST_EPOCH
    assert epoch_after(3, 57) == FIRST_EPOCH + 3  # 57: counted by starts, before there were claims
    assert epoch_after(0, FIRST_EPOCH + 800) == FIRST_EPOCH + 801  # the topic of claims was made anew


@dataclass
class Broker:
    """What outlives workers: claims, checkpoints and outputs, in the order in which they were written."""

    claims: list[str] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    windows: list[tuple[int, int]] = field(default_factory=list)

    def compact(self):
        """Of the one key only what was written last stays, whatever its epoch."""
        del self.checkpoints[:-1]


class Worker:
    """The line's steps, one at a time; between any two of them anything may happen."""

    def __init__(self, name, broker):
        self.name, self.broker, self.ownership = name, broker, Ownership()
        self.steps = self.run()
        self.refused = 0

    def heard(self):
        for at, owner in enumerate(self.broker.claims):
            self.ownership.hear(SHARD, at, owner)
        return SHARD in self.ownership.superseded()

    def run(self):
        broker = self.broker
        broker.claims.append(self.name)
        claimed_at = len(broker.claims) - 1
        self.ownership.take(SHARD, claimed_at)
        yield "claimed"
        found = newest(broker.checkpoints).get(("job", SHARD))
        offset, total = (found.next_offset, int(found.state)) if found else (0, 0)
        epoch = epoch_after(claimed_at, found.epoch if found else None)
        yield "loaded"
        while offset < len(LOG):
            total += LOG[offset]
            yield "folded"
            if self.heard():
                self.refused += 1
                return
            yield "owned"  # a pause from here on is what only revisions and epochs answer
            broker.windows.append((offset, total))
            offset += 1
            yield "written"
            if self.heard():
                self.refused += 1
                return
            yield "still owned"
            broker.checkpoints.append(
                Checkpoint(
                    job="job", shard=SHARD, epoch=epoch, next_offset=offset, topic_id="t", partitions=1,
                    state=str(total).encode(),
                )
            )  # fmt: skip
            yield "checkpointed"


def final(windows):
    """As every reader of windows has it: of one window the highest revision, of equal ones the last."""
    return dict(windows)


@given(
    st.lists(
        st.tuples(st.sampled_from(["step", "step", "step", "start", "die", "compact"]), st.integers(0, 3)),
        max_size=150,
    )
)
def test_whatever_happens_between_any_two_lines_the_picture_is_that_of_one_worker(acts):
    broker, workers = Broker(), []
    for act, which in acts:
        if act == "start" and len(workers) < 4:
            workers.append(Worker(f"w{len(broker.claims)}.{len(workers)}", broker))
        elif act == "die" and workers:
            workers.pop(which % len(workers))
        elif act == "compact":
            broker.compact()
        elif workers:
            next(workers[which % len(workers)].steps, None)
        for checkpoint in broker.checkpoints:  # never ahead of what was written
            assert {at for at, _ in broker.windows} >= set(range(checkpoint.next_offset))
    last = Worker("last", broker)
    assert "loaded" in list(last.steps)
    assert final(broker.windows) == EVERY_WINDOW
    counted = newest(broker.checkpoints)["job", SHARD]
    assert (counted.next_offset, int(counted.state)) == (len(LOG), sum(LOG))


def test_who_wakes_up_after_another_took_over_writes_at_most_what_it_was_writing():
    broker = Broker()
    former = Worker("former", broker)
    while next(former.steps) != "owned":  # paused between the look at the claims and the write
        pass
    heir = Worker("heir", broker)
    assert "checkpointed" in [*heir.steps]
    before = len(broker.windows)
    assert [*former.steps] == ["written"]
    assert former.refused == 1
    assert len(broker.windows) == before + 1
    assert final(broker.windows) == EVERY_WINDOW
    assert len({c.epoch for c in broker.checkpoints}) == 1
