"""Spark Structured Streaming: windows of ten seconds a grid. Environment: BOOTSTRAP, TOPIC, OUT, JARS, FOLDER."""

import os
import pathlib

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

__all__: list[str] = []

jars = sorted(pathlib.Path(os.environ["JARS"]).glob("*.jar"))
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", ",".join(map(str, jars)))
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "2")  # 200 by default: for clusters
    # The partitions come into sight within milliseconds: who looks between, every 10 ms by default, takes 400,000
    # readings of the first alone, and drops those of the others as late.
    .config("spark.sql.streaming.pollingDelay", "250ms")
    .config("spark.local.dir", os.environ["FOLDER"])
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
readings = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", os.environ["BOOTSTRAP"])
    .option("subscribe", os.environ["TOPIC"])
    .option("startingOffsets", "earliest")
    .option("kafka.isolation.level", "read_committed")
    .option("maxOffsetsPerTrigger", os.environ.get("TRIGGER_RECORDS", "400000"))
    .load()
    .select(
        f.from_json(f.col("value").cast("string"), "grid STRING, value DOUBLE, observed_at_ms BIGINT").alias(
            "r"
        )
    )
    .select("r.grid", "r.value", f.timestamp_millis("r.observed_at_ms").alias("observed_at"))
)
windows = (
    # One watermark for all partitions, which are not read evenly: with five seconds it dropped readings as late.
    readings.withWatermark("observed_at", "20 seconds")
    .groupBy(f.window("observed_at", "10 seconds"), "grid")
    .agg(
        f.count("*").alias("readings"),
        f.sum("value").alias("occupied"),
        f.avg("value").alias("mean"),
        f.min("value").alias("least"),
    )
    .select(
        f.to_json(
            f.struct(
                "grid",
                f.unix_millis(f.col("window.start")).alias("start_ms"),
                "readings",
                "occupied",
                "mean",
                "least",
            )
        ).alias("value")
    )
)
(
    windows.writeStream.format("kafka")
    .option("kafka.bootstrap.servers", os.environ["BOOTSTRAP"])
    .option("topic", os.environ["OUT"])
    .option("checkpointLocation", os.environ["FOLDER"] + "/checkpoints")
    .outputMode("append")
    .start()
    .awaitTermination()
)
