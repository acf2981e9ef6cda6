"""Flink SQL: windows of ten seconds a grid. Environment: BOOTSTRAP, TOPIC, OUT, JARS; the job runs in the JVM alone.

`python flink_sql.py`; with the word `udf` the value goes through one Python function.
"""

import os
import pathlib
import sys

from pyflink.common import Configuration
from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.udf import udf

__all__: list[str] = []

configuration = Configuration()
jars = sorted(pathlib.Path(os.environ["JARS"]).glob("*.jar"))
configuration.set_string("pipeline.jars", ";".join(jar.as_uri() for jar in jars))
configuration.set_string("parallelism.default", "2")
configuration.set_string("pipeline.object-reuse", "true")
configuration.set_string("table.local-time-zone", "UTC")
configuration.set_string("python.executable", sys.executable)
configuration.set_string("python.client.executable", sys.executable)
settings = EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
table = TableEnvironment.create(settings)
value = "`value`"
if "udf" in sys.argv:
    table.create_temporary_function(
        "same", udf(lambda value: value, input_types=[DataTypes.DOUBLE()], result_type=DataTypes.DOUBLE())
    )
    value = "same(`value`)"
kafka = f"'connector' = 'kafka', 'properties.bootstrap.servers' = '{os.environ['BOOTSTRAP']}'"
table.execute_sql(f"""
    CREATE TABLE readings (
        grid STRING, `value` DOUBLE, observed_at_ms BIGINT,
        observed_at AS TO_TIMESTAMP_LTZ(observed_at_ms, 3),
        WATERMARK FOR observed_at AS observed_at - INTERVAL '5' SECOND
    ) WITH ({kafka}, 'topic' = '{os.environ["TOPIC"]}', 'format' = 'json', 'properties.group.id' = 'peer-flink',
        'scan.startup.mode' = 'earliest-offset', 'properties.isolation.level' = 'read_committed')
""")
table.execute_sql(f"""
    CREATE TABLE windows (grid STRING, start_ms BIGINT, readings BIGINT, occupied DOUBLE, mean DOUBLE, least DOUBLE)
    WITH ({kafka}, 'topic' = '{os.environ["OUT"]}', 'format' = 'json')
""")
told = table.execute_sql(f"""
    INSERT INTO windows
    SELECT grid, UNIX_TIMESTAMP(CAST(window_start AS STRING)) * 1000,
        COUNT(*), SUM({value}), AVG({value}), MIN({value})
    FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(observed_at), INTERVAL '10' SECOND))
    GROUP BY grid, window_start, window_end
""")
told.wait()
