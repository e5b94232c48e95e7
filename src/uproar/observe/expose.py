"""The numbers as Prometheus reads them."""

from typing import Final

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from uproar.observe.adding import Added

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


def expose(added: Added) -> bytes:
    """The body of `/metrics`, of type `CONTENT_TYPE`."""
    return generate_latest(added)
