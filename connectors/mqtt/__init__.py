"""MQTT: QoS 1, and PUBACK only after Kafka's delivery report."""
