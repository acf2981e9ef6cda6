"""The evaluation at the desk: rates of one's places, each with its definition and the cases behind it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from operations.cases.evaluate import Comparison, Cut, scores, to_csv
from operations.cases.measures import MEASURES
from operations.cases.periods import Period, parse_period
from operations.desk.documents import answers, unfit, written
from operations.desk.policies import Who, guarded, require
from operations.desk.state import Desk, desk_of
from operations.people.audit import Said
from operations.people.sign_in import SignedIn
from schemas.calendar import local
from schemas.errors import SettingsError

__all__ = ["Evaluation", "router"]

router = APIRouter(tags=["cases"])
_Desk = Annotated[Desk, Depends(desk_of)]
_PeriodText = Annotated[
    str, Query(max_length=30, description="2026, 2026Q4, 2026-11, 2026-W47, 2026-11-16, DAY..DAY; this month")
]
_By = Annotated[Cut, Query(description="one figure each")]


class FigureOut(msgspec.Struct, frozen=True):
    """One rate: `yes` of `among`, ids of cases. `exempt`: taken out by an appeal; the fact stays."""

    measure: str
    chinese: str
    english: str
    of: str
    name: str
    rate: float | None
    before: float | None
    last_year: float | None
    yes: tuple[str, ...]
    among: tuple[str, ...]
    exempt: tuple[str, ...]
    definition: str


class Evaluation(msgspec.Struct, frozen=True):
    """All measures of a period by a cut; `scores`: points of each value of the cut."""

    period: str
    by: str
    scores: dict[str, float | None]
    figures: list[FigureOut]


@router.get("/evaluation", **guarded("cases.read"), **answers(Evaluation))
def evaluation(who: Who, desk: _Desk, period: _PeriodText = "", by: _By = "total") -> Response:
    """The rates, beside the period before (环比) and a year ago (同比); of persons for who may export."""
    if by == "person":
        require(who, "export")
    of = _period(period, desk)
    found = desk.cases.compared(of, by, desk.clock(), who.person)
    points = scores((each.figure for each in found), desk.cases.config.score)
    names = _names(by, desk)
    return written(Evaluation(str(of), by, points, [_figure(each, names) for each in found]))


@router.get(
    "/evaluation.csv",
    **guarded("export"),
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def evaluation_csv(who: Who, desk: _Desk, period: _PeriodText = "", by: _By = "total") -> Response:
    """The same as CSV, with the definition of each figure. Who took it is in the record."""
    of = _period(period, desk)
    found = desk.cases.compared(of, by, desk.clock(), who.person)
    desk.store.record(_said(who, f"{of} by {by}: {len(found)} figures", desk.clock()))
    headers = {"Content-Disposition": f'attachment; filename="evaluation-{of.first}-{by}.csv"'}
    # Excel takes UTF-8 for a local code page unless a mark says otherwise.
    return Response("\ufeff" + to_csv(found, of, _names(by, desk)), media_type="text/csv", headers=headers)


def _said(who: SignedIn, detail: str, at_ms: int) -> Said:
    return Said(
        at_ms=at_ms,
        who=who.person.id,
        terminal=who.terminal,
        what="export.evaluation",
        of=",".join(who.person.places),
        detail=detail,
    )


def _period(text: str, desk: Desk) -> Period:
    try:
        return parse_period(text or f"{local(desk.clock()):%Y-%m}")
    except SettingsError as error:
        raise unfit("period", str(error), "query") from error


def _names(cut: Cut, desk: Desk) -> dict[str, str]:
    none = {} if cut == "total" else {"": "（无）none"}
    if cut not in {"grid", "community", "street"}:
        return none
    return none | {place.code: place.name for place in desk.city.places.at(cut)}


def _figure(each: Comparison, names: dict[str, str]) -> FigureOut:
    figure, measure = each.figure, MEASURES[each.figure.measure]
    return FigureOut(
        measure=figure.measure,
        chinese=measure.chinese,
        english=measure.english,
        of=figure.of,
        name=names.get(figure.of, ""),
        rate=figure.rate,
        before=each.before,
        last_year=each.last_year,
        yes=figure.yes,
        among=figure.among,
        exempt=figure.exempt,
        definition=figure.definition,
    )
