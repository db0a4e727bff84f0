"""Where work comes in: HTTP routes, Kafka records, periodic jobs."""
