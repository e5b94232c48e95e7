"""All roles of the process that has the port."""

import asyncio
import secrets
from collections.abc import Iterator

import structlog
from prometheus_client import ProcessCollector

from uproar.api.server import make_app
from uproar.assembly.beating import Beat
from uproar.assembly.parts import Parts
from uproar.assembly.viewing import hub_of
from uproar.auth import Keys
from uproar.core.clock import Clock
from uproar.core.errors import Unavailable
from uproar.fanout.plan import Plan, Row
from uproar.fanout.worker import Fanout
from uproar.gateway.sending.service import Write
from uproar.log.consume import Worker
from uproar.observe.adding import Added
from uproar.persist.worker import Persist
from uproar.read.service import ReadService
from uproar.settings import Settings
from uproar.write.service import WriteService
from uproar.write.worker import LeasedIds

TRIM_S = 60.0

logger = structlog.get_logger(__name__)


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


class House:
    """All roles of one process, opened and not yet running."""

    def __init__(self, settings: Settings, keys: Keys, clock: Clock, parts: Parts, write: Write) -> None:
        self.settings = settings
        self.clock = clock
        self.parts = parts
        self.metrics = parts.metrics
        ProcessCollector(registry=self.metrics.registry)
        self.numbers = Added(self.metrics)
        self.metrics.gateways.set(settings.runs("gateway"))  # this process, unless others serve viewers
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
        self.hub = hub_of(
            settings, keys, clock, self.metrics, parts.timeline, parts.presence, self.write, parts.log.append, write
        )
        self.beat = Beat(clock, self.metrics)
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
        return self.beat.is_alive

    async def ready(self) -> bool:
        """The log takes appends."""
        database = self.parts.database
        return self.alive() and (database is None or not database.failed)

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
