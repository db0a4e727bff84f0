"""Pure rules of notifications: what they are, and when a delivery is tried again."""
