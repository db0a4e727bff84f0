"""How payment is reached: HTTP, Kafka, the clock."""
