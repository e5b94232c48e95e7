"""What serves viewers, in the process that has the port or in one beside it."""

from collections.abc import Awaitable, Callable

import structlog

from uproar.auth import Keys
from uproar.core.clock import Clock
from uproar.core.events import Event
from uproar.gateway.budget import Budget
from uproar.gateway.hearing.service import Writes
from uproar.gateway.hub import Hub, Timing
from uproar.gateway.outbox import Lag
from uproar.gateway.sending.service import Write, natively, through_transports
from uproar.native import open_sender
from uproar.observe.counters import Metrics
from uproar.presence import Presence
from uproar.settings import Settings
from uproar.timeline import Timeline
from uproar.timeline.counting import counted
from uproar.wire.websocket import Limits

logger = structlog.get_logger(__name__)


def write_of(settings: Settings) -> Write:
    """How frames leave; said in the log. Raises `Misconfigured`."""
    sender, why = open_sender(settings.sender)
    logger.info("sender", form=sender.name if sender else "python", why=why)
    return natively(sender) if sender else through_transports


def limits_of(settings: Settings) -> Limits:
    """How large what viewers say may be."""
    return Limits(settings.message_bytes, settings.message_fragments, settings.inflated_bytes)


def hub_of(
    settings: Settings,
    keys: Keys,
    clock: Clock,
    metrics: Metrics,
    timeline: Timeline,
    presence: Presence,
    writes: Writes,
    append: Callable[[Event], Awaitable[int]],
    write: Write,
) -> Hub:
    """The hub of one process."""
    timing = Timing(settings.ping_s, settings.pong_s, settings.ring_s, settings.drain_s)
    lag = Lag(lag_close_s=settings.lag_close_s)
    budget = Budget(settings.rings_mib << 20, settings.chains)
    rooms = settings.gateway_rooms
    timeline = counted(timeline, metrics.timeline_reads.inc)
    return Hub(timeline, presence, writes, append, keys, clock, metrics, timing, lag, rooms, write, budget)
