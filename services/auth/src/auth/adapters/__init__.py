"""How auth reaches Postgres, Redis, Kafka and the libraries it stands on."""
