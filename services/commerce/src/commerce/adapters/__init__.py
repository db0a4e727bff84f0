"""Where the domain meets Postgres, Redis and Protobuf."""
