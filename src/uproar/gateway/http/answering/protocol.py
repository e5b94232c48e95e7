"""uvicorn's HTTP, but for answers that nobody reads: those end their connection."""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from uproar.gateway.socket.protocol import LINGER_S


class AnsweringHttp(HttpToolsProtocol):
    """A connection on which something waits, and nothing of it was read for `lag_close_s`, is cut."""

    lag_close_s: ClassVar[float] = 30.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A waiting byte pauses whoever writes."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)
        self._unread: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self.forget_unread()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server stops: who does not read is not waited for, nor anyone for longer than `LINGER_S`."""
        super().shutdown()
        if self._unread is None:
            self.loop.call_later(LINGER_S, self.transport.abort)
        else:
            self.transport.abort()

    def pause_writing(self) -> None:
        """The socket is full."""
        super().pause_writing()
        self._watch_unread(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """All was read."""
        self.forget_unread()
        super().resume_writing()

    def _watch_unread(self, left: int) -> None:
        self._unread = self.loop.call_later(self.lag_close_s, self._look_at_unread, left)

    def _look_at_unread(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left < before:
            return self._watch_unread(left)
        return self.transport.abort()

    def forget_unread(self) -> None:
        """Nothing waits to be read, or it is not ours to watch any more."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
