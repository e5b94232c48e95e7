"""Everything runs until a signal, and is closed in order."""

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

import structlog
import uvloop

from uproar.api.live import close_all
from uproar.assembly.children import spawn
from uproar.assembly.cores import gateways_on, usable_cores
from uproar.assembly.files import raise_limit, viewers_that_fit
from uproar.assembly.gateways import Gateways
from uproar.assembly.house import House
from uproar.assembly.line import Behind
from uproar.assembly.listening import admin, caps_of, listen, public
from uproar.assembly.parts import open_parts
from uproar.assembly.supervising import supervise
from uproar.assembly.viewing import write_of
from uproar.auth import Keys
from uproar.core.clock import SystemClock
from uproar.gateway.sending.service import through_transports
from uproar.log.consume import Worker, consume
from uproar.settings import Settings
from uproar.write.worker import upkeep

logger = structlog.get_logger(__name__)


def _processes(settings: Settings) -> int:
    """Gateway processes beside this one; none where viewers are served here."""
    count = gateways_on(usable_cores(), settings.gateways)
    return count if count > 1 and settings.runs("gateway") else 0


async def run(settings: Settings, keys: Keys, on_ready: Callable[[int, int], None]) -> None:
    """Open the house, run its roles until SIGTERM or SIGINT, and close it; `on_ready` is told both ports."""
    raise_limit()
    clock = SystemClock()
    listener = listen(settings.host, settings.port)
    admin_listener = listen(settings.admin_host, settings.admin_port)
    port, admin_port = listener.getsockname()[1], admin_listener.getsockname()[1]
    children = [spawn() for _ in range(_processes(settings))]  # they start while the house is opened
    fit = viewers_that_fit()
    logger.info("files", viewers=fit * max(1, len(children)))
    parts = await open_parts(settings, clock)
    house = House(settings, keys, clock, parts, through_transports if children else write_of(settings))
    await house.ids.renew()
    caps = caps_of(house)
    behind = Behind(settings, keys, parts, house.write, house.numbers, clock)
    gateways = Gateways(children, behind, caps.addresses.leave, fit) if children else None
    stopping, stop = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    at_port, at_admin = public(house, port, caps, gateways), admin(house, gateways)

    def consuming(worker: Worker) -> Callable[[], Coroutine[Any, Any, None]]:
        buried = house.metrics.dead_letters
        return lambda: consume(parts.log, worker, clock, stop, Random(), lambda group: buried.labels(group).inc())

    workers = [asyncio.ensure_future(supervise(w.group, consuming(w), stop)) for w in house.workers()]
    chores = [house.ids.renew, house.write.unpin_expired, house.write.sweep, parts.ledger.sweep]
    endless = {"hub": house.hub.live, "upkeep": lambda: upkeep(chores), "beat": house.beat.go_on, "trim": house.trim}
    helpers = [asyncio.ensure_future(supervise(name, role, stop)) for name, role in endless.items()]
    if gateways:
        await gateways.start()
    servers = [
        asyncio.ensure_future(at_port.serve([listener])),
        asyncio.ensure_future(at_admin.serve([admin_listener])),
    ]
    while not (at_port.started and at_admin.started):  # noqa: ASYNC110 (uvicorn tells it by a flag alone)
        await asyncio.sleep(0.005)
    gc.collect()
    gc.freeze()
    on_ready(port, admin_port)
    await stopping.wait()
    listener.close()
    close_all(tuple(house.app.state.followers), settings.drain_s)
    if gateways:
        await gateways.drain()
    await house.hub.drain()
    at_port.should_exit = at_admin.should_exit = True
    await asyncio.gather(*servers)
    await house.write.drain()
    stop.set()
    await asyncio.gather(*workers)
    for helper in helpers:
        helper.cancel()
    await asyncio.gather(*helpers, return_exceptions=True)
    await parts.close()


def serve(settings: Settings, keys: Keys, on_ready: Callable[[int, int], None]) -> None:
    """Run everything here until a signal; raises `Misconfigured` when it cannot start."""
    Path(settings.data).mkdir(parents=True, exist_ok=True)
    uvloop.run(run(settings, keys, on_ready))
