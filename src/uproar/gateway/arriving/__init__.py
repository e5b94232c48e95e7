"""Who asks to watch, and is let in or refused."""
