"""The link between the process that has the port and one that serves viewers: two ends on one machine, and bounded.

Notes go one way; a question gets one answer, or the failure that the other end met. All arrive in order, each once,
until the link breaks; then every question that waits fails as `Unconfirmed`. When too much waits to be sent, what may
be lost (`offer`) is dropped, and a question is refused as `Overloaded` before it leaves. Open files take a way of their
own (`parcels`), each with bytes.
"""

from uproar.link.channel import Link
from uproar.link.parcels import Parcels

__all__ = ["Link", "Parcels"]
