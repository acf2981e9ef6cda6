"""SIP over UDP: MESSAGE requests with MANSCDP bodies; 200 OK only after Kafka's delivery report."""
