"""Shares of what is bad, late and double, within one count each, the worst source first."""

from taishi.status.scores import scores
from taishi.status.snapshot import SourceView


def test_shares_are_of_what_they_are_counted_in():
    (score,) = scores(
        [
            SourceView(
                "mqtt.a", received=200, messages_quarantined={"malformed": 1, "encoding": 3},
                consumed=1_000, late=20, duplicate=50, readings_quarantined={"future": 10},
            )
        ]
    )  # fmt: skip
    assert (score.bad, score.late, score.duplicate, score.implausible) == (0.02, 0.02, 0.05, 0.01)
    assert score.reasons == (("encoding", 3), ("malformed", 1))


def test_where_nothing_came_there_is_no_share():
    (score,) = scores([SourceView("file.tihm", consumed=10)])
    assert (score.bad, score.late) == (None, 0.0)
    assert scores([SourceView("http.silent")]) == []


def test_the_worst_comes_first():
    given = [
        SourceView("good", received=100, consumed=100),
        SourceView("late", received=100, consumed=100, late=5),
        SourceView("bad", received=100, messages_quarantined={"malformed": 1}, consumed=100),
    ]
    assert [score.source for score in scores(given)] == ["bad", "late", "good"]
