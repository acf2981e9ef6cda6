"""告警与值守: the alarm load by ISA-18.2 and IEC 62682, who is on call, and the desk's own counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dashboards import alert_panels, alert_queries, promql
from dashboards.context import Context, Duty
from dashboards.limits import of_kpi
from dashboards.links import UIDS
from dashboards.metric_panels import FROM_ONE, one
from dashboards.model import Board, FieldStyle, Note, Panel, Section, Stat, Step, Table
from dashboards.words import Words

__all__ = ["board"]

_DAY_MS: Final = 86_400_000
_ALL_COUNT: Final = Words(
    "按全部告警计，含搁置与合并的，因此是上限；按岗位和班次的见 taishi alerts kpis。",
    "Of all alerts, hidden ones too, so an upper bound; by console and shift: taishi alerts kpis.",
)


def board(context: Context) -> Board:
    """The board."""
    return Board(
        uid=UIDS["alerts"],
        title=Words("告警与值守", "alerts and who is on call"),
        about=Words("告警负荷、最多的告警、值守安排。", "The alarm load, what alarms most, who is on call."),
        variables=context.placed,
        since="now-24h",
        sections=(
            Section(Words("现在", "now"), (alert_panels.active(), *_desk())),
            Section(Words("告警负荷", "alarm load, K1 to K11"), (*_load(context), _not_here(), _split())),
            Section(Words("值守", "on call"), (_duty(context.duties),)),
            Section(
                Words("发生", "what came"),
                (
                    alert_panels.onsets(),
                    _most(("rule", "place"), Words("最多的十种（K8）", "the ten most frequent, K8"), context),
                    _most(("place",), Words("最多的地点", "places with most"), context),
                ),
            ),
            Section(
                Words("列表", "list"), (alert_panels.alert_list(context.place_names, only_active=False),)
            ),
        ),
    )


def _load(context: Context) -> Iterable[Panel]:
    queries = {
        "K1": alert_queries.per(_DAY_MS, Words("每日", "a day")),
        "K2": alert_queries.per(_DAY_MS // 24, Words("每小时", "an hour")),
        "K3": alert_queries.per(_DAY_MS // 144, Words("每 10 分钟", "per 10 min")),
        "K4": alert_queries.thick_share("1h", 30, Words("占比", "share")),
        "K5": alert_queries.thick_share("10m", 10, Words("占比", "share")),
        "K6": alert_queries.thickest("10m", Words("最多", "most")),
        "K10": alert_queries.stale(Words("陈旧", "stale")),
    }
    for name, query in queries.items():
        limit = context.kpi(name)
        share = limit.unit == "%"
        most = "" if limit.manageable is None else f"，最多 {limit.manageable:g}"
        most_en = "" if limit.manageable is None else f", manageable to {limit.manageable:g}"
        yield Panel(
            name=f"kpi-{name}",
            title=Words(f"{name} {limit.words.chinese}", limit.words.english),
            about=Words(
                f"可接受不超过 {limit.acceptable:g}{limit.unit}{most}（ISA-18.2、IEC 62682，每名值守员）。"
                f"{_ALL_COUNT.chinese}",
                f"Acceptable to {limit.acceptable:g}{limit.unit}{most_en} (ISA-18.2, IEC 62682, one "
                f"operator). {_ALL_COUNT.english}",
            ),
            show=Stat(),
            unit="percentunit" if share else "locale",
            queries=(query,),
            width=6,
            height=4,
            decimals=1,
            steps=of_kpi(limit, scale=0.01 if share else 1.0),
            nothing="没有告警 no alerts",
        )


def _split() -> Panel:
    queries = alert_panels.onsets().queries
    return Panel(
        name="kpi-K11",
        title=Words("K11 各级别数量", "alerts by severity"),
        about=Words(
            f"宜为低 80%、中 15%、高 5%，生命安全低于 1%。{_ALL_COUNT.chinese}",
            f"Aim: 80 % low, 15 % medium, 5 % high, life safety below 1 %. {_ALL_COUNT.english}",
        ),
        show=Stat(summed=True, named=True),
        unit="locale",
        queries=queries,
        width=24,
        height=4,
        decimals=0,
        fields=alert_panels.onsets().fields,
        nothing="没有告警 no alerts",
    )


def _most(by: tuple[str, ...], title: Words, context: Context) -> Panel:
    return Panel(
        name=f"most-{'-'.join(by)}",
        title=title,
        about=Words("所选时间内发生次数最多的。", "What came most often in the board's time."),
        show=Table(columns=(*by, "alerts"), sort="alerts"),
        unit="locale",
        queries=(alert_queries.ranked(by, 10),),
        width=12,
        height=9,
        fields=(
            FieldStyle("rule", Words("规则", "rule"), unit="string"),
            FieldStyle("place", Words("地点", "place"), mappings=context.place_names),
            FieldStyle("alerts", Words("次数", "alerts")),
        ),
        nothing="没有告警 no alerts",
    )


def _not_here() -> Panel:
    return Panel(
        name="kpis-elsewhere",
        title=Words("不在此处的指标", "figures not here"),
        about=Words("说明。", "A note."),
        show=Note(
            "K7、K9、K12（洪峰、抖动、抑制）见 `taishi alerts kpis`。\n\n"
            "K7, K9, K12 (flood, chattering, suppression): `taishi alerts kpis`."
        ),
        unit="none",
        width=6,
        height=4,
    )


def _desk() -> tuple[Panel, ...]:
    """What the on-call service counts of itself."""
    none = "未启动告警台 no on-call service runs"
    consoles, failed = Words("岗位", "consoles"), Words("通知", "notifications")
    return (
        one(
            "desk-flood",
            Words("洪峰中的岗位", "consoles in flood"),
            Words("告警台判定的洪峰模式。", "Flood mode as the desk judges it."),
            promql.asked(promql.newest("taishi_consoles_in_flood"), consoles, empty=none),
            FROM_ONE,
        ),
        one(
            "desk-failed",
            Words("通知失败（1 小时）", "notifications failed, 1 h"),
            Words("没有任何渠道送达的通知。", "Attempts that no channel of a person took."),
            promql.asked(promql.increase("taishi_notifications_failed_total", "1h"), failed, empty=none),
            FROM_ONE,
        ),
        one(
            "desk-parked",
            Words("被拒收的通知", "notifications refused"),
            Words(
                "所有渠道均拒收，不再重试；请改正值班文件。",
                "Every channel refused them; put the file right.",
            ),
            promql.asked(promql.newest("taishi_notifications_parked"), failed, empty=none),
            FROM_ONE,
        ),
        one(
            "desk-to-channel",
            Words("告警到渠道 p99", "alert to channel, p99"),
            Words("告警台看到告警到首个渠道接收。", "From the desk's first sight until a channel took it."),
            promql.asked(promql.quantile(0.99, "taishi_alert_to_channel_seconds", "1h"), "p99", empty=none),
            (Step(None, "normal"), Step(1, "caution"), Step(5, "critical")),
            "s",
        ),
    )


def _duty(duties: tuple[Duty, ...]) -> Panel:
    rows = "\n".join(f"| {each.route} | {each.takes} | {each.when} | {each.told} |" for each in duties)
    head = "| 路由 route | 级别 from | 时段 when | 先后通知 told in turn |\n|---|---|---|---|\n"
    nobody = "未设置 `oncall_file`：没有人会被通知。 No `oncall_file` is set: nobody is told."
    return Panel(
        name="duty",
        title=Words("值守安排", "who is on call"),
        about=Words(
            "来自值守文件，随看板渲染更新；此刻在岗与交接见告警台。",
            "From the on-call file, as of when the boards were rendered; hand-over is at the desk.",
        ),
        show=Note(head + rows if duties else nobody),
        unit="none",
        width=24,
        height=7,
    )
