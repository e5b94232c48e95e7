"""One end of a link, over a Unix socket."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from msgspec import Raw, msgpack

from uproar.core.errors import Overloaded, Unavailable, Unconfirmed
from uproar.link.messages import Answer, Failure, Message, Note, Question, Reader, body, failed, raised, written

FULL_BYTES = 4 << 20
"""So much may wait to be sent before what may be lost is dropped, and questions are refused."""
QUESTIONS = 10_000
"""So many may wait for their answers; one more is refused."""


@cache
def _reads(shape: Any) -> Callable[[Raw], Any]:
    return msgpack.Decoder(shape).decode


class Link(asyncio.Protocol):
    """Notes and questions of both sides. Whoever makes it first says what it hears (`on`) and answers (`answers`).

    `lost` is called when the link broke, or was ended by either side, `heard` before whatever comes.
    """

    def __init__(self, lost: Callable[[], None], heard: Callable[[], None] = lambda: None) -> None:
        self._lost = lost
        self._heard = heard
        self._transport: asyncio.Transport | None = None
        self._reader = Reader()
        self._notes: dict[str, tuple[Any, Callable[..., object]]] = {}
        self._deeds: dict[str, tuple[Any, Callable[..., Awaitable[object]]]] = {}
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Raw]] = {}
        self._answering: set[asyncio.Task[None]] = set()

    # -- what this side hears and answers

    def on(self, name: str, takes: Any, hear: Callable[..., object]) -> None:
        """Notes of this name, whose body is a tuple of the shape `takes`, go to `hear`."""
        self._notes[name] = (takes, hear)

    def answers(self, name: str, takes: Any, deed: Callable[..., Awaitable[object]]) -> None:
        """Questions of this name, likewise, are answered with what `deed` gives."""
        self._deeds[name] = (takes, deed)

    # -- what this side says

    @property
    def is_full(self) -> bool:
        """Whether so much waits that no more may; a link that is lost takes nothing either."""
        return self._transport is None or self._transport.get_write_buffer_size() > FULL_BYTES

    def note(self, name: str, *parts: object) -> None:
        """Tell the other side, however much waits: for what is small, rare and must not be lost."""
        self._write(Note(name, body(parts)))

    def offer(self, name: str, *parts: object) -> bool:
        """Tell the other side unless too much waits; whether it was told."""
        if self.is_full:
            return False
        self.note(name, *parts)
        return True

    async def ask(self, name: str, gives: Any, *parts: object) -> Any:
        """The other side's answer, of the shape `gives`; raises `Unavailable` in all its kinds."""
        if self._transport is None:
            raise Unavailable("the link is broken")
        if self.is_full or len(self._waiting) >= QUESTIONS:
            raise Overloaded("too much waits for the other side of the link")
        self._number += 1
        number, answer = self._number, asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._write(Question(number, name, body(parts)))
            return _reads(gives)(await answer)
        finally:
            del self._waiting[number]

    def close(self) -> None:
        """End the link, once what was said is sent."""
        if self._transport is not None:
            self._transport.close()

    def _write(self, message: Message) -> None:
        if self._transport is not None:
            self._transport.write(written(message))

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The other side is there."""
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits for an answer does not get it."""
        self._transport = None
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Unconfirmed("the link broke"))
        self._lost()

    def data_received(self, data: bytes) -> None:
        """In the order in which it was said."""
        self._heard()
        for message in self._reader.feed(data):
            self._take(message)

    def _take(self, message: Message) -> None:
        match message:
            case Note(name, data):
                takes, hear = self._notes[name]
                hear(*_reads(takes)(data))
            case Question(number, name, data):
                takes, deed = self._deeds[name]
                task = asyncio.ensure_future(self._answer(number, deed(*_reads(takes)(data))))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
            case Answer(number, data):
                self._settle(number, lambda answer: answer.set_result(data))
            case Failure():
                self._settle(message.number, lambda answer: answer.set_exception(raised(message)))

    def _settle(self, number: int, settle: Callable[["asyncio.Future[Raw]"], None]) -> None:
        answer = self._waiting.get(number)  # None: whoever asked has left
        if answer is not None and not answer.done():
            settle(answer)

    async def _answer(self, number: int, deed: Awaitable[object]) -> None:
        try:
            message: Message = Answer(number, body(await deed))
        except Unavailable as fault:
            message = failed(number, fault)
        except Exception as bug:
            told = {"message": "an answer failed", "exception": bug}
            asyncio.get_running_loop().call_exception_handler(told)
            message = failed(number, Unavailable("the other side of the link failed"))
        self._write(message)
