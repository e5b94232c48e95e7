"""A gateway process: `uproar serve` starts it, as `python -m uproar.cli.gateway LINK PARCELS`, two open sockets."""

import sys

from uproar.assembly.gateway import serve
from uproar.cli.logs import configure_logs

if __name__ == "__main__":
    configure_logs(sys.stderr)
    serve(*map(int, sys.argv[1:]))
