"""Where payment meets Postgres, providers and Protobuf."""
