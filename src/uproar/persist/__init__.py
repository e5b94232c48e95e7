"""The persist role: it brings the log's events into the store."""
