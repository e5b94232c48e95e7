"""The WebSocket connection."""
