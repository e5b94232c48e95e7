"""The write path: whatever anyone asks to say or do is judged, kept in the log, and only then answered."""
