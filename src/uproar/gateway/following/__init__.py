"""Following a stream's chain of frames, and noticing what was lost."""
