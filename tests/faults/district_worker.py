"""`python -m tests.faults.district_worker BOOTSTRAP TOPIC GROUP INFLUXDB`: one of a group for `situation`.

From a topic of windows, which may be of 1970, into the database of that name; driven without Beam.
"""

import os
import sys

from pipelines.io.canary import StoreLostData
from pipelines.io.influxdb import InfluxSettings
from pipelines.jobs.line import LineSettings
from pipelines.jobs.situation import SituationFactory
from pipelines.kernels.rollup_state import RollupSettings
from schemas.store import policies
from tests.behaviour.sharing import SESSION_S, work


def situation(bootstrap: str, topic: str, group: str, influxdb: str) -> SituationFactory:
    """Of the line that rolls up and writes, nine records at a time."""
    line = LineSettings(
        bootstrap,
        (topic,),
        checkpoint_interval_s=0.001,
        batch_records=9,
        tick_interval_s=None,
        group=group,
        session_s=SESSION_S,
    )
    ever = dict.fromkeys(("10s", "1m", "1h", "events"), 36_500)
    store = InfluxSettings(influxdb, topic, policies=policies((10, 60, 3600), ever))
    return SituationFactory(line, store, RollupSettings())


if __name__ == "__main__":
    try:
        work(situation(*sys.argv[1:]))
    except StoreLostData:  # as a supervisor would: the next start rebuilds
        os.execv(sys.executable, [sys.executable, "-m", "tests.faults.district_worker", *sys.argv[1:]])  # noqa: S606
