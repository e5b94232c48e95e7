"""The failures that are neither an answer nor a bug: an outside that is down, and a set-up that cannot work."""

RETRY_AFTER_MS = 1000


class Unavailable(Exception):
    """An outside is down and nothing was kept; `retry_after_ms` tells when asking again makes sense."""

    def __init__(self, what: str, retry_after_ms: int = RETRY_AFTER_MS) -> None:
        super().__init__(what)
        self.retry_after_ms = retry_after_ms


class Overloaded(Unavailable):
    """An outside is so far behind that taking more could lose something; nothing was kept."""


class Unconfirmed(Unavailable):
    """An outside did not answer in time: what it was given is perhaps kept."""


class Misconfigured(Exception):
    """What was set up cannot work; the one sentence it carries says what to change."""
