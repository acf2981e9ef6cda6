"""The embedded stack: real Kafka, Prism, InfluxDB and an MQTT broker as child processes of one supervisor.

The way through: `stack.up` fetches what is missing (`fetch`, `toolchains`), checks ports (`ports`), writes
each part's configuration (`kafka`, `influxdb`), and starts `supervisor` with a plan made of `parts`. The
supervisor owns the processes; everybody else reads `state`.
"""
