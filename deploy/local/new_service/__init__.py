"""Makes a new service of the house plan: a route, a use case, a consumer, a job, a migration, events, README, tests."""
