"""Connections on their way from the process that has the port to one that serves viewers."""
