"""The neutral codes of cases: states, stages, roles, kinds of moves. Labels are a city's, meanings are these.

**核实 and 核查 are swapped between systems**: 悟能 and Shandong's guideline call the field check *before*
filing 核实 and that *after* disposal 核查; smart_cityguard the other way round. So nothing of ours depends
on either word: the codes are `pre_check` and `post_check`, and the meaning is shown beside every label.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

__all__ = ["HOLDER_FIELDS", "KINDS", "ROLES", "ROLE_NAMES", "SOURCES", "STAGES", "STAGE_NAMES", "STATES",
           "HolderField", "Kind", "Role", "Source", "Stage", "State", "StateCode"]  # fmt: skip

StateCode = Literal[
    "reported", "pre_check", "rejected", "filed", "to_dispatch", "to_handle", "handling", "handled",
    "feedback", "post_check", "closed", "evaluated", "returned", "suspended",
]  # fmt: skip
Stage = Literal["report", "file", "dispatch", "handle", "feedback", "close", "evaluate", "end"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
STAGE_NAMES: Final[dict[Stage, str]] = {
    "report": "上报",
    "file": "立案",
    "dispatch": "派遣",
    "handle": "处置",
    "feedback": "反馈",
    "close": "结案",
    "evaluate": "评价",
    "end": "终止",
}
Kind = Literal["forward", "return", "side"]
"""A forward move takes the case on, a return sends it back to be corrected, a side act does neither."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Role = Literal[
    "collector", "receiver", "dispatcher", "department", "handler", "shift_leader", "evaluator",
    "street", "community", "party_member", "resident", "system",
]  # fmt: skip
ROLES: Final[tuple[Role, ...]] = get_args(Role)
ROLE_NAMES: Final[dict[Role, str]] = {
    "collector": "采集员（网格员）",
    "receiver": "受理员",
    "dispatcher": "派遣员",
    "department": "处置部门",
    "handler": "处置人员",
    "shift_leader": "值班长",
    "evaluator": "考核员",
    "street": "街道",
    "community": "社区",
    "party_member": "党员",
    "resident": "居民",
    "system": "系统",
}
Source = Literal["alert", "desk", "collector", "resident", "party_member", "street"]
SOURCES: Final[tuple[Source, ...]] = get_args(Source)
HolderField = Literal["receiver", "department", "person", "checker", "closer", "reporter"]
HOLDER_FIELDS: Final[tuple[HolderField, ...]] = get_args(HolderField)
"""Fields of a case that say whose turn it is; an empty one leaves the move to all of the role."""


class State(NamedTuple):
    """What a state means everywhere. `open`: something is still to be done."""

    stage: Stage | None
    label: str
    meaning: str
    open: bool = True


STATES: Final[dict[StateCode, State]] = {
    "reported": State("report", "上报", "已上报，待受理 came in: alert, patrol, citizen, another desk"),
    "pre_check": State("report", "核实", "立案前现场核查 field check before filing"),
    "rejected": State("end", "不受理", "不符合立案标准 does not meet the filing standard", open=False),
    "filed": State("file", "立案", "已选标准、已定时限 standard chosen, limit set"),
    "to_dispatch": State("dispatch", "待派遣", "等待派给部门 waits for a department"),
    "to_handle": State("handle", "待处置", "部门已接未派人 with a department, no person yet"),
    "handling": State("handle", "处置中", "已有处置人 with a person"),
    "handled": State("handle", "处置完成", "处置人完成，部门未确认 person done, not yet confirmed"),
    "feedback": State("feedback", "处理反馈", "部门已反馈，待审核 department handed back, under review"),
    "post_check": State("feedback", "核查", "处置后现场核查 field check after disposal"),
    "closed": State("close", "结案", "符合结案标准 closing standard met", open=False),
    "evaluated": State("evaluate", "综合评价", "统计已定 statistics fixed", open=False),
    "returned": State(None, "回退", "退回更正 sent back for correction"),
    "suspended": State("handle", "挂账", "暂不能解决，到期恢复 cannot be solved in time, parked with a date"),
}
"""`returned` is of the stage it was sent back to."""
