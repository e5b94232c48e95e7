"""What the log says, and how: one event a line on stderr, JSON unless a person reads it."""

from typing import TextIO

import structlog
from structlog.typing import Processor

COMMON: tuple[Processor, ...] = (structlog.processors.add_log_level, structlog.processors.TimeStamper("iso", utc=True))


def configure_logs(to: TextIO) -> None:
    """Write to this stream from now on. Tracebacks name places and no variable's value: some are secrets."""
    structlog.configure(
        processors=[*COMMON, *(_for_people() if to.isatty() else _for_machines())],
        logger_factory=structlog.WriteLoggerFactory(to),
    )


def _for_people() -> tuple[Processor, ...]:
    return (structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),)


def _for_machines() -> tuple[Processor, ...]:
    return structlog.processors.format_exc_info, structlog.processors.JSONRenderer()
