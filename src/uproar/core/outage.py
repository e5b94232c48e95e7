"""Outages as answers: which refusal whoever asked is given."""

from uproar.core.errors import Overloaded, Unavailable, Unconfirmed
from uproar.core.refusal import Refusal, Refused


def refused(fault: Unavailable) -> Refused:
    """501 and 502 where nothing was kept, 503 where something perhaps was."""
    if isinstance(fault, Unconfirmed):
        return Refused(Refusal.UNCONFIRMED, fault.retry_after_ms)
    if isinstance(fault, Overloaded):
        return Refused(Refusal.OVERLOADED, fault.retry_after_ms)
    return Refused(Refusal.UNAVAILABLE, fault.retry_after_ms)
