"""The adapters of one process, as the settings name them."""

from pathlib import Path
from typing import NamedTuple

from uproar.core.clock import Clock
from uproar.ledger.memory import MemoryLedger
from uproar.log.memory import MemoryLog
from uproar.log.sqlite import SqliteLog
from uproar.observe.counters import Metrics
from uproar.presence.memory import MemoryPresence
from uproar.settings import Settings
from uproar.sqlite import Database, DataLock, lock_directory
from uproar.store import Store
from uproar.store.counting import counted
from uproar.store.memory import MemoryStore
from uproar.store.sqlite import SqliteStore
from uproar.timeline.memory import MemoryTimeline
from uproar.timeline.sqlite import SqliteTimeline

DATABASE = "uproar.db"
PRIME_MS = 60_000  # what the memory ledger reads of the log at start: its longest window


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
    ledger = MemoryLedger(clock, first=log.first if log.held_keys else None, load_ban=store.banned)
    ledger.prime(await log.since(clock.now_ms() - PRIME_MS))
    return Parts(log, store, timeline, ledger, MemoryPresence(clock), database, lock, metrics)
