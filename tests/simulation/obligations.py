"""What is owed at the end of a seed: by the log's readers, and by the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.kernels.annotations import annotation
from schemas.store import EVENTS
from schemas.topics import readings_topic
from tests.simulation.faults import hold
from tests.simulation.jobs import INFLUXDB
from tests.simulation.points import parsed
from tests.simulation.scenario import CLOSED_MS, T0

if TYPE_CHECKING:
    from tests.simulation.world import World

_NOT_TOLD: Final = """
SELECT id FROM alerts a WHERE a.open AND a.acknowledged_by = ''
AND NOT EXISTS (SELECT 1 FROM notifications n WHERE n.alert_id = a.id AND n.sent_ms > 0)"""
_NOT_SENT: Final = """
SELECT key FROM notifications n LEFT JOIN alerts a ON a.id = n.alert_id
WHERE n.sent_ms = 0 AND n.state = 'waiting' AND (n.alert_id = '' OR (a.open AND a.acknowledged_by = ''))"""
_NO_CASE: Final = """
SELECT id FROM alerts a WHERE NOT EXISTS (SELECT 1 FROM case_alerts c WHERE c.alert_id = a.id)"""
_MARKED: Final = "SELECT key FROM notifications WHERE sent_ms > 0 AND digest = ''"
_PUBLISHED: Final = {
    "acts/alerts": "SELECT coalesce(max(number), 0) FROM actions",
    "acts/cases": "SELECT coalesce(max(number), 0) FROM case_flow",
}


def owed(world: World) -> list[str]:
    """What is still to be done: messages, records not read, windows not closed, people not told."""
    left = [f"message {each[1]}" for each in world.senders.waiting]
    for name, topics in _reads(world).items():
        for shard in (f"{t}/{n}" for t in topics for n in range(world.log.topics[t])):
            newest, at = world.watcher.received[shard][-1:], world.watcher.positions[name, shard]
            left += [f"{name} of {shard}: at {at} of {newest[0]}"] if newest and at <= newest[0] else []
    if world.scenario.figures:
        left += world.watcher.not_closed(T0 + CLOSED_MS)
    return left + (_by_the_desk(world) if "reader" in world.processes else [])


def _reads(world: World) -> dict[str, tuple[str, ...]]:
    reads = {
        "aggregate": (readings_topic(world.scenario.domain),),
        "situation": ("windows", "alerts"),
        "watch": ("windows", "alerts"),
        "signals": ("signals",),
    }
    return {name: topics for name, topics in reads.items() if name in world.processes}


def _by_the_desk(world: World) -> list[str]:
    rows, newest, left = world.desk.rows, world.watcher.received["alerts/0"][-1:], list[str]()
    at = dict(rows("SELECT topic, next_offset FROM progress"))
    if newest and at.get("alerts", 0) <= newest[0]:
        return [f"alerts read to {at.get('alerts')} of {newest[0]}"]
    if "teller" in world.processes:
        left += [f"nobody told of {alert}" for (alert,) in rows(_NOT_TOLD)]
        left += [f"not sent: {key}" for (key,) in rows(_NOT_SENT)]
    if "clockwork" in world.processes:
        active = world.watcher.alerts
        left += [f"no case of {alert}" for (alert,) in rows(_NO_CASE) if active[alert].active]
    for name, query in _PUBLISHED.items() if "publisher" in world.processes else ():
        ((last,),) = rows(query)
        left += [f"{name} published to {at.get(name)} of {last}"] if at.get(name, 0) < last else []
    return left


def known_and_told(world: World) -> None:
    """Broken unless the desk has the newest of each alert, and told whom it says it told."""
    if "reader" not in world.processes:
        return
    known = dict(world.desk.rows("SELECT id, revision FROM alerts"))
    newest = {alert.id: alert.revision for alert in world.watcher.alerts.values()}
    hold(known == newest, f"the desk knows {known}, the log said {newest}")
    heard: dict[str, tuple[str, str]] = {}
    for person, head, key in world.told:
        before = heard.setdefault(key, (person, head))
        hold(before == (person, head), f"{key}: {before} and {(person, head)}")
    never = [row for row in world.desk.rows(_MARKED) if row[0] not in heard]
    hold(not never, f"marked as sent, never told: {never}")
    planned = {key for (key,) in world.desk.rows("SELECT key FROM notifications")}
    hold(heard.keys() <= planned, f"told and not written down: {heard.keys() - planned}")


def annotated(world: World) -> None:
    """Broken unless InfluxDB has every alert as it was in the end."""
    for alert in world.watcher.alerts.values() if "situation" in world.processes else ():
        point, fields = parsed(f"{INFLUXDB.database}/{EVENTS}", annotation(alert))
        hold(world.points.held.get(point) == fields, f"{alert}: {world.points.held.get(point)} is stored")
