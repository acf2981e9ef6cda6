"""数据源评分: how good what each source and vendor sends is."""

from __future__ import annotations

from typing import Final

from dashboards.context import Context
from dashboards.influxql import TIME_RANGE, Column, Select, name, tag
from dashboards.links import UIDS
from dashboards.model import Bars, Board, FieldStyle, Lines, Mapping, Panel, Query, Section, Stat, Step, Table
from dashboards.sources import DISTRICT
from dashboards.words import Words
from schemas.quarantine import Reason

__all__ = ["board"]

_ALL: Final = "(all)"
"""The vendor of a source's own row (docs/specs/telemetry.md)."""
_OF: Final = name("sources")
_LIMITS: Final = (Step(None, "normal"), Step(0.01, "caution"), Step(0.05, "critical"))
_OFTEN: Final = Words("占比 1% 起为注意，5% 起为严重。", "Caution from 1 %, critical from 5 %.")
_REASONS: Final[dict[Reason, Words]] = {
    Reason.MALFORMED: Words("格式错误", "malformed"),
    Reason.ENCODING: Words("编码错误", "encoding"),
    Reason.WRONG_TYPE: Words("类型错误", "wrong type"),
    Reason.MISSING_FIELD: Words("缺字段", "missing field"),
    Reason.OVERSIZE: Words("过大", "oversize"),
    Reason.UNSUPPORTED: Words("不支持", "unsupported"),
    Reason.UNKNOWN_DEVICE: Words("未知设备", "unknown device"),
    Reason.UNKNOWN_PLACE: Words("未知地点", "unknown place"),
    Reason.IMPLAUSIBLE: Words("不合理", "implausible"),
    Reason.RATE: Words("过密", "too many"),
    Reason.FUTURE: Words("未来时间", "future"),
    Reason.BAD_TIME: Words("时间错误", "bad time"),
}


def board(context: Context) -> Board:
    """The board."""
    return Board(
        uid=UIDS["sources"],
        title=Words("数据源评分", "sources and vendors"),
        about=Words("坏、迟、重、沉默与时钟。", "Bad, late, double, silent, and clocks that are off."),
        variables=context.placed,
        since="now-24h",
        refresh="1m",
        annotated=False,
        sections=(
            Section(Words("合计", "in all"), tuple(_totals())),
            Section(Words("评分", "scorecard"), (_scorecard(context), _by_source())),
            Section(Words("走势", "trend"), (_messages(), _bad(), _reasons())),
        ),
    )


def _query(select: Select, ref: str = "A", alias: str = "", *, table: bool = False, empty: str = "") -> Query:
    return Query(str(select), DISTRICT, ref, "table" if table else "time_series", alias=alias, empty=empty)


def _of_sources(*columns: Column) -> Select:
    return Select(columns, _OF, (tag("vendor", _ALL), TIME_RANGE))


def _sum(field: str) -> str:
    return f"sum({name(field)})"


_TOTAL: Final = Words("所选时间内所有来源合计。", "Of all sources in the board's time.")


def _totals() -> tuple[Panel, ...]:
    return (
        _total("messages", Words("消息", "messages")),
        _total("readings", Words("读数", "readings")),
        _share("bad", "messages", Words("隔离占比", "bad")),
        _share("late", "readings", Words("迟到占比", "late")),
        _share("duplicate", "readings", Words("重复占比", "double")),
        _silent(),
    )


def _total(field: str, words: Words) -> Panel:
    query = _query(_of_sources(Column(_sum(field), field)), alias=str(words))
    return Panel(f"total-{field}", words, _TOTAL, Stat(), "locale", (query,), 4, 4, 0)


def _share(part: str, whole: str, words: Words) -> Panel:
    query = _query(_of_sources(Column(f"{_sum(part)} / {_sum(whole)}", part)), alias=str(words))
    about = Words(_TOTAL.chinese + _OFTEN.chinese, f"{_TOTAL.english} {_OFTEN.english}")
    return Panel(f"total-{part}", words, about, Stat(), "percentunit", (query,), 4, 4, 2, _LIMITS)


def _silent() -> Panel:
    inner = Select(
        (Column(f"last({name('silent')})", "silent"),),
        _OF,
        (f"{name('vendor')} != '{_ALL}'", "time > ${__to}ms - 5m AND time <= ${__to}ms"),
        (name("source"), name("vendor")),
    )
    words = Words("沉默的厂商", "silent vendors")
    return Panel(
        name="total-silent",
        title=words,
        about=Words(
            "超过其平常间隔三倍没有消息的厂商。", "Vendors silent for three times their usual pause."
        ),
        show=Stat(),
        unit="locale",
        queries=(_query(Select((Column(f"sum({name('silent')})", "silent"),), inner), alias=str(words)),),
        width=4,
        height=4,
        decimals=0,
        steps=(Step(None, "normal"), Step(1, "critical")),
    )


def _scorecard(context: Context) -> Panel:
    shares = tuple(
        Column(f"{_sum(part)} / {_sum(whole)}", f"{part}_share")
        for part, whole in (("bad", "messages"), ("late", "readings"), ("duplicate", "readings"))
    )
    states = tuple(
        Column(f"last({name(each)})", each) for each in ("silent_s", "silent", "clock_s", "clock_off")
    )
    select = Select(
        (Column(_sum("messages"), "messages"), Column(_sum("readings"), "readings"), *shares, *states),
        _OF,
        (f"{name('vendor')} != '{_ALL}'", TIME_RANGE),
        (name("source"), name("vendor")),
    )
    columns = ("source", "vendor", *(column.called for column in select.columns))
    return Panel(
        name="scorecard",
        title=Words("厂商评分", "scorecard by vendor"),
        about=Words(
            f"时钟偏差为收到减观测的中位数，超过 {context.clock_s:g} 秒标记；"
            f"误报率需处置结果，不在此表。{_OFTEN.chinese}",
            f"Clock: median of received minus observed, marked beyond {context.clock_s:g} s. False alarms "
            f"need outcomes and are not here. {_OFTEN.english}",
        ),
        show=Table(columns=columns, sort="bad_share"),
        unit="locale",
        queries=(_query(select, table=True),),
        width=24,
        height=11,
        fields=(
            FieldStyle("source", Words("来源", "source"), unit="string"),
            FieldStyle("vendor", Words("厂商", "vendor"), unit="string"),
            FieldStyle("messages", Words("消息", "messages"), decimals=0),
            FieldStyle("readings", Words("读数", "readings"), decimals=0),
            FieldStyle("bad_share", Words("隔离", "bad"), "percentunit", 2, _LIMITS),
            FieldStyle("late_share", Words("迟到", "late"), "percentunit", 2, _LIMITS),
            FieldStyle("duplicate_share", Words("重复", "double"), "percentunit", 2, _LIMITS),
            FieldStyle("silent_s", Words("沉默", "silent for"), "s", 0),
            FieldStyle("silent", Words("是否沉默", "silent"), mappings=_YES_NO),
            FieldStyle("clock_s", Words("时钟偏差", "clock"), "s", 1),
            FieldStyle("clock_off", Words("时钟异常", "clock off"), mappings=_YES_NO),
        ),
    )


_YES_NO: Final = (Mapping("1", "是 yes", "critical"), Mapping("0", "否 no", "normal"))


def _by_source() -> Panel:
    select = Select(
        (Column(f"{_sum('bad')} / {_sum('messages')}", "bad"),),
        _OF,
        (tag("vendor", _ALL), TIME_RANGE),
        (name("source"),),
    )
    return Panel(
        name="bad-by-source",
        title=Words("各来源隔离占比", "bad by source"),
        about=Words(
            f"被隔离的消息占比。{_OFTEN.chinese}", f"Share of messages in quarantine. {_OFTEN.english}"
        ),
        show=Bars(),
        unit="percentunit",
        queries=(_query(select, alias="$tag_source"),),
        width=24,
        height=7,
        decimals=2,
        steps=_LIMITS,
    )


def _over_time(field: str) -> Select:
    return Select(
        (Column(_sum(field), field),),
        _OF,
        (tag("vendor", _ALL), TIME_RANGE),
        ("time($__interval)", name("source")),
        fill="none",
    )


def _messages() -> Panel:
    return Panel(
        name="messages",
        title=Words("各来源消息", "messages by source"),
        about=Words(
            "每个时间格内收到的消息；线断即无消息记录。", "Messages in each interval; a gap: none recorded."
        ),
        show=Lines(bars=True, stacked=True, least=0, step="5m"),
        unit="locale",
        queries=(_query(_over_time("messages"), alias="$tag_source"),),
        decimals=0,
    )


def _bad() -> Panel:
    return Panel(
        name="bad",
        title=Words("各来源隔离消息", "bad messages by source"),
        about=Words("每个时间格内进入隔离区的消息。", "Messages that went into quarantine in each interval."),
        show=Lines(bars=True, stacked=True, least=0, step="5m"),
        unit="locale",
        queries=(_query(_over_time("bad"), alias="$tag_source", empty="可能没有 there may be none"),),
        decimals=0,
    )


def _reasons() -> Panel:
    queries = tuple(
        _query(
            _of_sources(Column(_sum(f"bad_{reason.value}"), reason.value)),
            chr(ord("A") + at),
            str(words),
            empty="可能没有 there may be none",
        )
        for at, (reason, words) in enumerate(_REASONS.items())
    )
    return Panel(
        name="reasons",
        title=Words("隔离原因", "why they were bad"),
        about=Words(
            "所选时间内按原因合计；原因见参考文档。", "Of the board's time, by reason (docs/reference)."
        ),
        show=Bars(),
        unit="locale",
        queries=queries,
        width=24,
        height=9,
        decimals=0,
        nothing="没有隔离 none",
    )
