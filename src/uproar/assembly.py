"""Settings become adapters, adapters become roles; the only part that knows every kind, all roles being one process."""

import asyncio
import gc
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import structlog
import uvicorn
import uvloop
from msgspec.structs import replace
from prometheus_client import ProcessCollector

from uproar.api.live import close_all
from uproar.api.server import make_app
from uproar.auth import Keys
from uproar.core.clock import Clock, SystemClock
from uproar.core.errors import Misconfigured, Unavailable
from uproar.fanout.plan import Plan, Row
from uproar.fanout.worker import Fanout
from uproar.gateway.caps import Addresses, Bucket, networks
from uproar.gateway.hub import Hub, Timing
from uproar.gateway.outbox import Lag
from uproar.gateway.protocol import BoundedHttp, Bounds, Caps, Gate, LiveSocket
from uproar.gateway.sending.service import Write, natively, through_transports
from uproar.ledger.memory import MemoryLedger
from uproar.log.consume import Worker, consume
from uproar.log.memory import MemoryLog
from uproar.log.sqlite import SqliteLog
from uproar.native import open_sender
from uproar.observe.counters import Metrics
from uproar.observe.expose import CONTENT_TYPE, expose
from uproar.persist.worker import Persist
from uproar.presence.memory import MemoryPresence
from uproar.read.service import ReadService
from uproar.settings import Settings
from uproar.sqlite import Database, DataLock, lock_directory
from uproar.store import Store
from uproar.store.counting import counted
from uproar.store.memory import MemoryStore
from uproar.store.sqlite import SqliteStore
from uproar.timeline.memory import MemoryTimeline
from uproar.timeline.sqlite import SqliteTimeline
from uproar.wire.websocket import Limits
from uproar.write.service import WriteService
from uproar.write.worker import LeasedIds, upkeep

DATABASE = "uproar.db"
PRIME_MS = 60_000  # what the memory ledger reads of the log at start: its longest window
TRIM_S = 60.0
RESTART_S = 1.0  # a role that ended by a bug is started afresh after this pause
BEAT_S = 0.5
READY_LAG_S = 5.0  # a loop that did not beat for so long is not alive
GRACE_S = 10
UNSENT_BYTES = 32 << 10  # that the kernel holds for a connection which does not read: it lags then, and costs no more

logger = structlog.get_logger(__name__)


class Parts(NamedTuple):
    """The adapters of one process."""

    log: MemoryLog | SqliteLog
    store: Store
    timeline: MemoryTimeline
    ledger: MemoryLedger
    presence: MemoryPresence
    database: Database | None
    lock: DataLock | None
    metrics: Metrics

    async def close(self) -> None:
        """Finish what is under way and let go of the data directory."""
        for part in (self.timeline, self.store, self.log):
            await part.close()
        if self.database is not None:
            await self.database.close()
        if self.lock is not None:
            self.lock.release()


async def open_parts(settings: Settings, clock: Clock) -> Parts:
    """The kinds that the settings name; raises `Misconfigured`."""
    on_disk = "sqlite:" in (settings.log, settings.store, settings.timeline)
    lock = lock_directory(Path(settings.data)) if on_disk else None
    database = Database(Path(settings.data) / DATABASE) if on_disk else None
    log: MemoryLog | SqliteLog = MemoryLog(clock, settings.log_retention_h)
    kept: Store = MemoryStore()
    if database is not None and settings.log == "sqlite:":
        log = await SqliteLog.open(database, clock, settings.log_retention_h)
    if database is not None and settings.store == "sqlite:":
        kept = SqliteStore(database)
    metrics = Metrics()
    store = counted(kept, metrics.store_reads.inc)
    timeline = MemoryTimeline(clock, store.likes)
    if database is not None and settings.timeline == "sqlite:":
        timeline = SqliteTimeline(database, clock, store.likes)
    ledger = MemoryLedger(clock, first=log.first, load_ban=store.banned)
    ledger.prime(await log.since(clock.now_ms() - PRIME_MS))
    return Parts(log, store, timeline, ledger, MemoryPresence(clock), database, lock, metrics)


def plan_of(settings: Settings) -> Plan:
    """The fan-out plan's three rows."""
    windows, frames = settings.plan_window_ms, settings.plan_frame_comments
    everything = float("inf")
    return Plan(
        rows=(
            Row(windows[0] / 1000, frames[0], everything, frames[0]),
            Row(windows[1] / 1000, frames[1], settings.plan_all_per_s, settings.plan_best),
            Row(windows[2] / 1000, frames[2], 0, frames[2]),
        ),
        viewers=settings.plan_viewers,
        comments_per_s=settings.plan_comments_per_s,
    )


def _write_of(settings: Settings) -> Write:
    """How the gateway's frames leave; said in the log."""
    sender = open_sender(settings.sender)
    logger.info("sender", form=sender.name if sender else "python")
    return natively(sender) if sender else through_transports


class House:
    """All roles of one process, opened and not yet running."""

    def __init__(self, settings: Settings, keys: Keys, clock: Clock, parts: Parts) -> None:
        self.settings = settings
        self.clock = clock
        self.parts = parts
        self.metrics = parts.metrics
        ProcessCollector(registry=self.metrics.registry)
        self.ids = LeasedIds(parts.store, clock, f"uproar-{secrets.token_hex(6)}")
        self.write = WriteService(
            parts.log,
            parts.store,
            parts.timeline,
            parts.ledger,
            clock,
            self.ids,
            self.metrics,
            open_streams=settings.open_streams,
            streams_per_min=settings.streams_per_min,
            log_kept_ms=int((settings.log_retention_h + 1) * 3_600_000),
        )
        self.read = ReadService(parts.store, parts.timeline, parts.presence, clock)
        self.hub = Hub(
            parts.timeline,
            parts.presence,
            self.write,
            parts.log.append,
            keys,
            clock,
            self.metrics,
            Timing(settings.ping_s, settings.pong_s, settings.ring_s, settings.drain_s),
            Lag(lag_close_s=settings.lag_close_s),
            settings.gateway_rooms,
            _write_of(settings),
        )
        self.beat_at = clock.now()
        self.app = make_app(
            self.write, self.read, self.hub.react, keys, settings, clock, self.metrics, parts.timeline, self
        )
        self.keys = keys

    def workers(self) -> Iterator[Worker]:
        """The workers that run here."""
        parts = self.parts
        if self.settings.runs("fanout"):
            plan = plan_of(self.settings)
            yield Fanout(parts.timeline, parts.presence, parts.store.stream, plan, self.clock, self.metrics)
        if self.settings.runs("persist"):
            yield Persist(parts.store)

    # -- health

    def alive(self) -> bool:
        """The loop beats."""
        return self.clock.now() - self.beat_at < READY_LAG_S

    async def ready(self) -> bool:
        """The log takes appends."""
        database = self.parts.database
        return self.alive() and (database is None or not database.failed)

    async def beat(self) -> None:
        """Note how late the loop is, again and again."""
        while True:
            self.beat_at = self.clock.now()
            await asyncio.sleep(BEAT_S)
            self.metrics.loop_lag_seconds.observe(max(0.0, self.clock.now() - self.beat_at - BEAT_S))

    async def note_lag(self) -> None:
        """Note how far each group is behind."""
        for group in ("fanout", "persist"):
            self.metrics.log_lag.labels(group).set(await self.parts.log.lag(group))

    async def trim(self) -> None:
        """Let old records go, again and again."""
        pause_s = min(TRIM_S, self.settings.log_retention_h * 3600)
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self.parts.log.trim(self.clock.now_ms())
                await self.parts.timeline.trim(self.clock.now_ms())
            except Unavailable as fault:
                logger.warning("trim_waits", why=str(fault))

    def caps(self) -> Caps:
        """The caps of one port."""
        addresses = Addresses(self.settings.connections_per_address)
        return Caps(addresses, networks(self.settings.trusted_proxies), self.metrics.connections_refused.inc)

    def gate(self, port: int, caps: Caps) -> Gate:
        """What decides about upgrades."""
        settings = self.settings
        return Gate(
            hub=self.hub,
            open_stream=self.write.open_stream,
            keys=self.keys,
            origins=replace(settings, port=port).allowed_origins(),
            accepts=Bucket(settings.accepts_per_s),
            caps=caps,
            clock=self.clock,
            metrics=self.metrics,
        )


class _Server(uvicorn.Server):
    """uvicorn, but for signals: those are the house's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)  # connections inherit it
    try:
        listener.bind((host, port))
    except OSError as fault:
        listener.close()
        raise Misconfigured(f"port {port} of {host} cannot be had ({fault.strerror}); choose another.") from fault
    listener.listen(4096)
    listener.setblocking(False)
    return listener


def _server(app: Any, settings: Settings, its_caps: Caps, ws: type[LiveSocket] | None = None) -> _Server:
    class Http(BoundedHttp):
        """Bounded as the settings say."""

        bounds = Bounds(settings.head_bytes, settings.body_bytes, settings.request_s, settings.lag_close_s)
        caps = its_caps

    config = uvicorn.Config(
        app,
        http=Http,
        ws=ws or "none",
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return _Server(config)


def _public(house: House, port: int) -> _Server:
    settings, caps = house.settings, house.caps()

    class Viewer(LiveSocket):
        """A viewer of this house."""

        gate = house.gate(port, caps)
        limits = Limits(settings.message_bytes, settings.message_fragments, settings.inflated_bytes)

    return _server(house.app, settings, caps, Viewer if settings.runs("gateway") else None)


def _admin(house: House) -> _Server:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        known = scope["type"] == "http" and scope["path"] == "/metrics"
        await house.note_lag()
        body = expose(house.metrics) if known else b""
        kind = CONTENT_TYPE.encode() if known else b"text/plain"
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200 if known else 404, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return _server(app, house.settings, house.caps())


async def supervise(name: str, role: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run a role until `stop`; one that ends by a bug says so loudly and is started afresh."""
    while not stop.is_set():
        try:
            await role()
        except Exception:
            logger.exception("role_failed", role=name)
            await asyncio.sleep(RESTART_S)


async def run(settings: Settings, keys: Keys, on_ready: Callable[[int, int], None]) -> None:
    """Open the house, run its roles until SIGTERM or SIGINT, and close it; `on_ready` is told both ports."""
    clock = SystemClock()
    listener = _listen(settings.host, settings.port)
    admin_listener = _listen(settings.admin_host, settings.admin_port)
    port, admin_port = listener.getsockname()[1], admin_listener.getsockname()[1]
    parts = await open_parts(settings, clock)
    house = House(settings, keys, clock, parts)
    await house.ids.renew()
    stopping, stop = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    public, admin = _public(house, port), _admin(house)

    def consuming(worker: Worker) -> Callable[[], Coroutine[Any, Any, None]]:
        buried = house.metrics.dead_letters
        return lambda: consume(parts.log, worker, clock, stop, Random(), lambda group: buried.labels(group).inc())

    workers = [asyncio.ensure_future(supervise(w.group, consuming(w), stop)) for w in house.workers()]
    chores = [house.ids.renew, house.write.unpin_expired, house.write.sweep, parts.ledger.sweep]
    endless = {"hub": house.hub.live, "upkeep": lambda: upkeep(chores), "beat": house.beat, "trim": house.trim}
    helpers = [asyncio.ensure_future(supervise(name, role, stop)) for name, role in endless.items()]
    servers = [asyncio.ensure_future(public.serve([listener])), asyncio.ensure_future(admin.serve([admin_listener]))]
    while not (public.started and admin.started):  # noqa: ASYNC110 (uvicorn tells it by a flag alone)
        await asyncio.sleep(0.005)
    gc.collect()
    gc.freeze()
    on_ready(port, admin_port)
    await stopping.wait()
    listener.close()
    close_all(tuple(house.app.state.followers), settings.drain_s)
    await house.hub.drain()
    public.should_exit = admin.should_exit = True
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
