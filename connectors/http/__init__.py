"""HTTP push: 202 only after Kafka's delivery report."""
