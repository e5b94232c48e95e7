"""Roles that are started afresh when they end by a bug."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

RESTART_S = 1.0  # the pause before

logger = structlog.get_logger(__name__)


async def supervise(name: str, role: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run a role until `stop`; one that ends by a bug says so loudly and is started afresh."""
    while not stop.is_set():
        try:
            await role()
        except Exception:
            logger.exception("role_failed", role=name)
            await asyncio.sleep(RESTART_S)
