"""A case against a model made of the workflow files alone: state, version, how often what happened."""

from __future__ import annotations

import tomllib
from datetime import datetime
from importlib import resources
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from operations.cases.conditions import Facts
from operations.cases.config import shipped_config
from operations.cases.decide import decide
from operations.cases.limits import Limit
from operations.cases.model import Actor, Case, Command, Evidence, Standard
from operations.cases.opening import Report, open_case
from operations.cases.refusals import MoveRefused
from schemas.calendar import ZONE

CONFIG = shipped_config()
MONDAY = int(datetime(2026, 11, 16, 9, 0, tzinfo=ZONE).timestamp()) * 1000
GRID = "370202001001001"
STANDARD = Standard(
    code="0101", category="device", name="井盖破损", filing="破损", closing=("完好",),
    limit=Limit(4, "working_hour"),
)  # fmt: skip
PEOPLE = {
    name: Actor(name=name, roles=roles, department="市政公司", places=("370202",))
    for name, roles in {
        "采集员": ("collector",), "受理员": ("receiver",), "派遣员": ("dispatcher",), "科长": ("department",),
        "老李": ("handler",), "值班长": ("shift_leader",), "街道": ("street",), "社区": ("community",),
        "党员": ("party_member",), "居民": ("resident",), "考核员": ("evaluator",),
    }.items()
}  # fmt: skip
FILES: dict[str, dict[str, Any]] = {
    name: tomllib.loads(
        resources.files("operations.cases.workflows").joinpath(f"{name}.toml").read_text("utf-8")
    )
    for name in sorted(CONFIG.workflows)
}
MOVES = {name: {move["verb"]: move for move in file["moves"]} for name, file in FILES.items()}
VERBS = sorted({verb for moves in MOVES.values() for verb in moves})


class CaseMachine(RuleBasedStateMachine):
    """The model: where the case is, where it came from before it was parked, and how often what happened."""

    @initialize(name=st.sampled_from(sorted(FILES)))
    def opens(self, name: str) -> None:
        source = "resident" if name == "residents-order" else "collector"
        who = PEOPLE["居民" if name == "residents-order" else "采集员"]
        report = Report(
            key="k", source=source, category="device", place=GRID, title="井盖", workflow=name,
            reporter=who.name,
        )  # fmt: skip
        self.case: Case = open_case(report, "c1", who, CONFIG, MONDAY)[0]
        self.now_ms, self.moves = MONDAY, MOVES[name]
        self.model: dict[str, Any] = {
            "state": FILES[name]["initial"],
            "version": 1,
            "parked": "",
            "happened": {},
        }

    @rule(minutes=st.sampled_from([1, 60, 1440]))
    def time_passes(self, minutes: int) -> None:
        self.now_ms += minutes * 60_000

    @rule()
    def the_process_dies(self) -> None:
        self.case = msgspec.json.decode(msgspec.json.encode(self.case), type=Case)

    @rule(verb=st.sampled_from(VERBS), who=st.sampled_from(sorted(PEOPLE)))
    def somebody_tries(self, verb: str, who: str) -> None:
        self.tries(verb, who)

    @rule(who=st.sampled_from(sorted(PEOPLE)), data=st.data())
    def somebody_does_what_the_file_names(self, who: str, data: st.DataObject) -> None:
        here = [verb for verb, move in self.moves.items() if self.model["state"] in move["from"]]
        if here:
            self.tries(data.draw(st.sampled_from(sorted(here))), who)

    def tries(self, verb: str, who: str) -> None:
        actor, move = PEOPLE[who], self.moves.get(verb)
        possible = (
            move is not None and self.model["state"] in move["from"] and set(actor.roles) & {*move["roles"]}
        )
        command = Command(
            verb=verb, actor=actor, why="属实", standard="0101", department="市政公司", person="老李",
            criteria=("完好",), evidence=(Evidence(what="照片"),), until_ms=self.now_ms + 86_400_000,
            result="passed", satisfied=True, longitude=120.38, latitude=36.06, outcome="real",
        )  # fmt: skip
        facts = Facts(CONFIG.workflows[self.case.workflow], self.now_ms, CONFIG.time, STANDARD, ())
        before = msgspec.json.encode(self.case)
        try:
            self.case, entry = decide(self.case, command, facts)
        except MoveRefused:
            assert msgspec.json.encode(self.case) == before
            return
        assert possible, f"{verb} by {who} in {self.model['state']}"
        assert (entry.from_state, entry.verb, entry.by) == (self.model["state"], verb, who)
        self.moves_on(move)

    def moves_on(self, move: dict[str, Any]) -> None:
        model, to = self.model, move.get("to", "")
        if to == "suspended":
            model["parked"] = model["state"]
        model["state"] = model["parked"] if to == "before" else to or model["state"]
        model["version"] += 1
        for name in move.get("counts", ()):
            model["happened"][name] = model["happened"].get(name, 0) + 1

    @invariant()
    def the_case_is_what_the_model_says(self) -> None:
        case, model = self.case, self.model
        assert (case.state, case.version) == (model["state"], model["version"])
        for name, times in model["happened"].items():
            assert case.count(name) == times
        if model["state"] in {"closed", "evaluated", "rejected"}:
            assert not any(run.open for run in case.runs), "a clock runs on"


CaseMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestCase = CaseMachine.TestCase
