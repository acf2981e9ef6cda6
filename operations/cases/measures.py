"""The measures of an evaluation as data: which cases, of which cases, and the words that say so. Pure.

Each is a share: of the cases of a set (`among`) those for which something holds (`of`). Systems differ in
what they divide by, so the set may be chosen (`denominators` of cases_file), and the definition is printed
beside every figure. A measure of time leaves out what a granted appeal exempts; how many that were is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from operations.cases.measured import Measured, Timed
from operations.cases.periods import Period

__all__ = ["MEASURES", "SETS", "CaseSet", "Measure", "Who"]

Who = Literal["person", "receiver"]
_Holds = Callable[[Measured, Period], bool]


@dataclass(frozen=True, slots=True)
class CaseSet:
    """Cases that a share may be of."""

    words: str
    holds: _Holds


@dataclass(frozen=True, slots=True)
class Measure:
    """One share. `sets`: what it may be of, the default first; `timed`: exempt cases are left out.

    `high_is_good` says which way a score counts it; `who`: whose figure it is in a cut by person.
    """

    chinese: str
    english: str
    words: str
    of: _Holds
    sets: tuple[str, ...]
    timed: bool = False
    high_is_good: bool = True
    who: Who = "person"


def _due(timed: Timed, m: Measured, period: Period) -> bool:
    """Done in the period, or not done and due by its end, or by now while it lasts."""
    if not timed.known:
        return False
    return period.holds(timed.stopped_ms) if timed.stopped_ms else timed.due_ms <= m.at_ms


def _handled(m: Measured, _p: Period) -> bool:
    return m.handling.stopped_ms > 0


def _in_time(m: Measured, _p: Period) -> bool:
    return m.handling.stopped_ms > 0 and not m.handling.late


def _should_be_closed(m: Measured, p: Period) -> bool:
    if not m.case.filed_ms and not m.handling.known:
        return False
    limit = m.total if m.total.known else m.handling
    return p.holds(m.case.closed_ms) if m.closed else limit.known and limit.due_ms <= m.at_ms


def _first_right(m: Measured, _p: Period) -> bool:
    return m.count("misdispatches") + m.count("transfers") == 0


SETS: Final[dict[str, CaseSet]] = {
    "reported": CaseSet("期内上报 reported in the period", lambda m, p: p.holds(m.case.reported_ms)),
    "filed": CaseSet("期内立案 filed in the period", lambda m, p: p.holds(m.case.filed_ms)),
    "dispatched": CaseSet("期内派遣 dispatched in the period", lambda m, p: p.holds(m.handling.started_ms)),
    "should_be_dispatched": CaseSet(
        "应派遣：期内派出，或到期未派 dispatched in the period, or due by its end and not",
        lambda m, p: _due(m.dispatch, m, p),
    ),
    "should_be_handled": CaseSet(
        "应处置：期内反馈，或到期未反馈 handed back in the period, or due by its end and not",
        lambda m, p: _due(m.handling, m, p),
    ),
    "should_be_closed": CaseSet(
        "应结案：期内结案，或到期未结 closed in the period, or due by its end and not", _should_be_closed
    ),
    "pre_checks_due": CaseSet(
        "应核查（立案前）：期内回复，或到期未复 answered in the period, or due by its end and not",
        lambda m, p: _due(m.pre_check, m, p),
    ),
    "post_checks_due": CaseSet(
        "应核查（处置后）：期内回复，或到期未复 answered in the period, or due by its end and not",
        lambda m, p: _due(m.post_check, m, p),
    ),
    "called_back": CaseSet(
        "期内结案并回访 closed in the period and called back",
        lambda m, p: p.holds(m.case.closed_ms) and m.case.satisfied is not None,
    ),
}

MEASURES: Final[dict[str, Measure]] = {
    "handled": Measure(
        "处置率", "handled", "部门已反馈 handed back", _handled, ("should_be_handled", "dispatched")
    ),
    "handled_in_time": Measure(
        "按期处置率", "handled in time", "按期反馈 handed back in time", _in_time,
        ("should_be_handled", "dispatched"), timed=True,
    ),
    "closed": Measure(
        "结案率", "closed", "已结案 closed", lambda m, _: m.closed,
        ("should_be_closed", "filed", "dispatched"),
    ),
    "closed_in_time": Measure(
        "按期结案率", "closed in time", "按期结案 closed, neither handling nor the whole late",
        lambda m, _: m.closed and not m.late, ("should_be_closed", "filed", "dispatched"), timed=True,
    ),
    "dispatched_right": Measure(
        "准确派遣率", "right first dispatch", "未退回未转办 neither returned as not ours nor transferred",
        _first_right, ("should_be_dispatched", "dispatched"), who="receiver",
    ),
    "dispatched_in_time": Measure(
        "按期派遣率", "dispatched in time", "按期派出 dispatched in time",
        lambda m, _: m.dispatch.stopped_ms > 0 and not m.dispatch.ever_late,
        ("should_be_dispatched", "dispatched"), who="receiver",
    ),
    "filed_in_time": Measure(
        "按时立案率", "filed in time", "按时立案 filed in time",
        lambda m, _: m.filing.known and not m.filing.ever_late, ("filed",), who="receiver",
    ),
    "valid_reports": Measure(
        "有效上报率", "valid reports", "未作废 not rejected", lambda m, _: not m.rejected,
        ("reported",), who="receiver",
    ),
    "pre_checked_in_time": Measure(
        "按期核查率（立案前）", "field check before filing in time", "按期回复 answered in time",
        lambda m, _: m.pre_check.stopped_ms > 0 and not m.pre_check.ever_late,
        ("pre_checks_due",), who="receiver",
    ),
    "post_checked_in_time": Measure(
        "按期核查率（处置后）", "field check after disposal in time", "按期回复 answered in time",
        lambda m, _: m.post_check.stopped_ms > 0 and not m.post_check.ever_late,
        ("post_checks_due",), who="receiver",
    ),
    "reworked": Measure(
        "返工率", "reworked", "返工过 reworked", lambda m, _: m.count("reworks") > 0,
        ("should_be_closed", "should_be_handled"), high_is_good=False,
    ),
    "extended": Measure(
        "延期率", "extended", "延期过 extended", lambda m, _: m.count("extensions") > 0,
        ("should_be_handled", "dispatched"), high_is_good=False,
    ),
    "overdue_unhandled": Measure(
        "超期待处置率", "overdue and not handled", "超期未反馈 late and not handed back",
        lambda m, _: m.handling.stopped_ms == 0 and m.handling.late, ("should_be_handled", "dispatched"),
        timed=True, high_is_good=False,
    ),
    "unsatisfied": Measure(
        "不满意率", "unsatisfied", "回访不满意 not satisfied", lambda m, _: m.case.satisfied is False,
        ("called_back",), high_is_good=False,
    ),
}  # fmt: skip
