"""What every service process stands on: settings, logs, metrics, traces, HTTP, tokens, Postgres, Redis, health, run."""
