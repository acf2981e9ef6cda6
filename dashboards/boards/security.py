"""智慧安防: doors, intrusions, fire and gas, people, and the cameras themselves."""

from __future__ import annotations

from dashboards.context import Context
from dashboards.figures import Figure, figure
from dashboards.links import UIDS
from dashboards.model import Board, Lines, Section
from dashboards.panels import key_figure, last_seen, places, ranked, trends, wholeness
from dashboards.rule_panels import rules_of
from dashboards.words import Words

__all__ = ["board"]


def _all(*names: str) -> list[Figure]:
    return [figure("security", name) for name in names]


def board(context: Context) -> Board:
    """The board."""
    return Board(
        uid=UIDS["security"],
        title=Words("智慧安防", "security"),
        about=Words("门禁、入侵、消防、人流与设备。", "Doors, intrusions, fire and gas, people, devices."),
        variables=context.placed,
        sections=(
            Section(
                Words("最近一小时", "last hour"),
                tuple(
                    key_figure(each)
                    for each in _all(
                        *("access_granted", "access_denied", "intrusion_intrusion"),
                        *("fire_smoke", "people_entered", "device_faults"),
                    )
                ),
            ),
            Section(Words("告警规则此刻", "what rules see now"), rules_of(context.limits, "security")),
            _over_time(),
            Section(
                Words("各地比较", "place by place"),
                (
                    ranked(figure("security", "access_denied")).sized(12, 10),
                    places(
                        "places",
                        Words("各地安防", "security by place"),
                        _all(
                            *("access_granted", "access_denied", "intrusion_intrusion"),
                            *("fire_smoke", "people_entered", "devices"),
                        ),
                    ).sized(12, 10),
                ),
            ),
            Section(Words("数据", "data"), (wholeness(["security"]), last_seen("security"))),
        ),
    )


def _over_time() -> Section:
    hourly = Lines(bars=True, stacked=True, least=0)
    return Section(
        Words("走势", "trend"),
        (
            trends("people", Words("人流", "people"), _all("people_entered", "people_left")),
            trends("access", Words("门禁", "doors"), _all("access_granted", "access_denied")),
            trends(
                "intrusion",
                Words("每小时入侵类事件", "intrusions an hour"),
                _all(
                    *("intrusion_intrusion", "intrusion_line_crossing", "intrusion_loitering"),
                    *("intrusion_tamper", "intrusion_crowding"),
                ),
                show=hourly,
                bucket="1h",
            ),
            trends(
                "fire",
                Words("每小时消防事件", "fire and gas an hour"),
                _all("fire_smoke", "fire_heat", "fire_gas", "fire_manual", "fire_fault"),
                show=hourly,
                bucket="1h",
            ),
            trends(
                "equipment",
                Words("每小时设备异常", "faults of equipment an hour"),
                _all("video_loss", "device_faults"),
                show=hourly,
                bucket="1h",
            ),
            trends("vehicles", Words("过车", "vehicles"), _all("vehicles")),
        ),
    )
