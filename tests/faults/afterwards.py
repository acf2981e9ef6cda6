"""After a run: a fresh alarm still comes through, and who is on call was told of every one."""

import time

import httpx

from tests.faults import ends
from tests.faults.load import ALARM_DEVICES, ALARMS, Message
from tests.faults.nemesis import RECOVERY_MAX_S
from tests.waiting import wait_until


def probe(city):
    """After all that, a fresh alarm is an alert and a case within a minute."""
    device, kind, grid = ALARM_DEVICES[-1]
    metric = next(metric for of, metric in ALARMS if of == kind)
    observed_ms = time.time_ns() // 1_000_000
    message = Message(0, device, kind.partition(".")[0], grid, kind, metric, 1, observed_ms, True)
    url = f"http://{city.settings.http_host}:{city.settings.http_port}/readings"
    assert httpx.post(url, content=message.body, timeout=30).status_code == 202

    def opened():
        cases = ends.cases(city.settings, ends.alerts(city.kafka_bootstrap, {}))
        return any(each.id == f"alert of {device}" for each in cases)

    wait_until(opened, RECOVERY_MAX_S)


def told(city, hook, acts):
    """The person on call was told of every alert; of few twice, as who told it died or heard no answer."""
    alarms = {f"{id_}/0/值班员" for id_ in ends.alerts(city.kafka_bootstrap, {})}
    wait_until(lambda: alarms <= set(hook.keys), RECOVERY_MAX_S)
    again = {key: count for key, count in hook.keys.items() if count > 1}
    assert sum(count - 1 for count in again.values()) <= 8 * len(acts), again
