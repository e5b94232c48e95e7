"""Outages after which nothing can be said for sure any more."""

from collections.abc import Iterator
from contextlib import contextmanager

from uproar.core.errors import Unavailable, Unconfirmed


@contextmanager
def logged() -> Iterator[None]:
    """What happens inside is in the log already: after a failure here the log's repeat finishes it."""
    try:
        yield
    except Unavailable as fault:
        raise Unconfirmed(str(fault), fault.retry_after_ms) from fault
