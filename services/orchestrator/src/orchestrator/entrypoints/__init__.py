"""Ways in: Kafka, timers, HTTP and the command line."""
