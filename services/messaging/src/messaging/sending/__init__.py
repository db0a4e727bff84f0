"""Group commit of sends."""
