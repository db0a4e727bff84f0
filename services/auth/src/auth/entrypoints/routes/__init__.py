"""The routes of auth, a file a resource."""
