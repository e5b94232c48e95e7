"""Gateway processes as the system sees them: started afresh from this interpreter, with two sockets and no port."""

import socket
import subprocess
import sys
from typing import NamedTuple

from uproar.link import Parcels


class Child(NamedTuple):
    """A process that was started, and this side's ends of its sockets."""

    process: "subprocess.Popen[bytes]"
    link: socket.socket
    parcels: socket.socket


def spawn() -> Child:
    """Start one. It has a session of its own, so that a terminal's interrupt asks this process alone to stop."""
    link, its_link = socket.socketpair()
    parcels, its_parcels = Parcels.pair()
    with its_link, its_parcels:
        descriptors = (its_link.fileno(), its_parcels.fileno())
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "uproar.cli.gateway", *map(str, descriptors)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=descriptors,
            start_new_session=True,
        )
    return Child(process, link, parcels)
