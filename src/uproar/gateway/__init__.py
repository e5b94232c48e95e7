"""From the timeline to the screens, and from the screens to the write path."""
