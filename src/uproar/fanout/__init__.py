"""From the log to the timeline: windows of events become frames."""
