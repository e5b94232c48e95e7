"""Watching without a WebSocket: server-sent events, long polls, and single frames that caches may keep."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from litestar import Response, get
from litestar.datastructures import ResponseHeader
from litestar.params import HeaderParameter, PathParameter, QueryParameter
from litestar.response import Stream as Streaming
from msgspec import Raw, Struct

from uproar.api.asked import Asked
from uproar.api.given import Services, StreamId, aborting, address, services, who
from uproar.api.problems import Denied, documented, found, granted
from uproar.auth import Identity
from uproar.core.position import Position, parse
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Stream
from uproar.timeline import Snapshot
from uproar.wire.closes import Close
from uproar.wire.codec import encode
from uproar.wire.frames import Batch, Bye, Frame, FromServer, Joined, Viewers, poster_rules

EVENTS = "text/event-stream"
POLL_S = 10.0
HISTORY = 50
BUFFERED = 256  # frames that one reader may be behind; one more ends its connection, and it comes back by position
BEAT_S = 5.0  # at most so often the number of viewers; where it is the same a comment line, for the proxies between

POSITION = r"^[A-Za-z0-9_-]{1,64}\.[0-9]{1,18}$"
At = Annotated[str, PathParameter(pattern=POSITION, description="The batch's position, EPOCH.SEQ.")]
After = Annotated[str, QueryParameter(pattern=POSITION, description="A position, EPOCH.SEQ; exclusive.")]
Back = Annotated[
    str | None, QueryParameter(pattern=POSITION, description="Where to resume, EPOCH.SEQ.", required=False)
]
History = Annotated[int, QueryParameter(ge=0, le=200, description="At most so many comments when not resuming.")]
LastEvent = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID", max_length=100, required=False, description="The last event's `id`; before `position`."
    ),
]
CACHED = ResponseHeader("Cache-Control", documentation_only=True, required=True, description="How long it may be kept.")


class Batches(Struct, frozen=True, omit_defaults=True):
    """The batches above a position; or, when it cannot be resumed, a fresh `joined`."""

    batches: list[Batch] = []
    joined: Joined | None = None


async def _stream(request: Asked, stream: str) -> Stream:
    return found(granted(await services(request).write.open_stream(stream, address(request))), Refusal.NO_SUCH_STREAM)


async def joined(held: Services, stream: Stream, position: Position | None, history: int) -> Joined:
    """`joined` for a reader: recovered at its position, or a snapshot."""
    viewers = found(await held.read.stream(stream.id), Refusal.NO_SUCH_STREAM).viewers
    rules = poster_rules(stream)
    if position is not None:
        return Joined(stream.id, str(position), True, [], [], viewers, {}, rules)
    now: Snapshot = await held.timeline.snapshot(stream.id, history)
    return Joined(
        stream.id, str(now.position), False, list(now.comments), list(now.pinned), viewers, dict(now.reactions), rules
    )


class Follower:
    """The frames of one stream, as they come, for the reader whose request this is."""

    def __init__(self, request: Asked, stream: str) -> None:
        self._new = asyncio.Event()
        self._frames: list[Frame] = []
        self._abort = aborting(request)
        self._others: set[Follower] = request.app.state.followers
        self.closing, self.wait_ms = False, 0
        self._others.add(self)
        self._unsubscribe = services(request).timeline.subscribe(stream, self._take)

    def leave(self) -> None:
        """Follow no more."""
        self._others.discard(self)
        self._unsubscribe()

    def close(self, wait_ms: int) -> None:
        """The server stops: the reader is told, and when to come back."""
        self.closing, self.wait_ms = True, wait_ms
        self._new.set()

    def _take(self, frame: Frame) -> None:
        if len(self._frames) == BUFFERED:
            return self._abort()
        self._frames.append(frame)
        return self._new.set()

    async def next(self, wait_s: float) -> Sequence[Frame]:
        """What came since the last call, after at most `wait_s`, or once it closes."""
        if not self._frames and not self.closing:
            self._new.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._new.wait()
            except TimeoutError:
                return ()
        came, self._frames = self._frames, []
        return came


@get(
    "/v1/streams/{stream:str}/frames",
    summary="Batches above a position",
    responses=documented(404),
    response_headers=[CACHED],
)
async def frames(request: Asked, stream: StreamId, after: After) -> Response[Batches]:
    """At once when there are any, else within ten seconds; none after that."""
    held = services(request)
    known = await _stream(request, stream)
    position = found(parse(after), Refusal.BAD_MESSAGE)
    follower = Follower(request, stream)
    try:
        above = await held.timeline.since(stream, position)
        if above is not None and not above:
            await follower.next(POLL_S)
            above = await held.timeline.since(stream, position)
    finally:
        follower.leave()
    if above is None:
        body = encode({"joined": await joined(held, known, None, HISTORY)})
    else:
        body = encode({"batches": [Raw(frame.plain) for frame in above]})
    answer: Response[Any] = Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
    return answer


@get(
    "/v1/streams/{stream:str}/frames/{at:str}",
    summary="One batch",
    responses=documented(404, 410),
    response_headers=[CACHED],
)
async def one_frame(request: Asked, stream: StreamId, at: At) -> Response[Batch]:
    """Cacheable for two seconds; 404 while it is not made, 410 when it is kept no longer."""
    held = services(request)
    position = found(parse(at), Refusal.BAD_MESSAGE)
    found(granted(await held.write.stream(stream)), Refusal.NO_SUCH_STREAM)  # a cacheable GET opens no stream
    top = await held.timeline.top(stream)
    if position.epoch == top.epoch and position.number > top.number:
        raise Denied(Refused(Refusal.NO_SUCH_COMMENT, detail="This batch is not made yet."))
    before = Position(position.epoch, position.number - 1)
    above = await held.timeline.since(stream, before) if position.number > 0 else None
    if not above:
        raise Denied(Refused(Refusal.NO_SUCH_COMMENT, detail="This batch is not kept any more."), 410)
    headers = {"Cache-Control": "max-age=2"}
    answer: Response[Any] = Response(above[0].plain, media_type="application/json", headers=headers)
    return answer


@get(
    "/v1/streams/{stream:str}/live",
    summary="Watch as server-sent events",
    media_type=EVENTS,
    responses=documented(401, 404),
)
async def live(
    request: Asked,
    stream: StreamId,
    position: Back = None,
    history: History = HISTORY,
    last: LastEvent = None,
) -> Streaming:
    """The WebSocket's messages as events; `id` is the position, `Last-Event-ID` resumes."""
    known = await _stream(request, stream)
    asked = parse(last or position or "")
    events = _events(request, known, asked, history, who(request))
    return Streaming(events, media_type=EVENTS, headers={"Cache-Control": "no-store"})


async def _events(
    request: Asked, stream: Stream, asked: Position | None, history: int, reader: Identity | None
) -> AsyncIterator[bytes]:
    held = services(request)
    follower = Follower(request, stream.id)
    try:
        missed = await held.timeline.since(stream.id, asked) if asked else None
        first = await joined(held, stream, asked if missed is not None else None, history)
        at, viewers = found(parse(first.position), Refusal.BAD_MESSAGE), first.viewers
        yield _event(first.position, encode(first))
        for frame in missed or ():
            yield _told(frame, reader)
            at = Position(frame.epoch, frame.number)
        while not follower.closing:
            came = await follower.next(BEAT_S)
            if not came:
                before, viewers = viewers, (await joined(held, stream, at, 0)).viewers
                yield b":\n\n" if viewers == before else _message(Viewers(viewers))
            for frame in came:
                if frame.epoch == at.epoch and frame.number <= at.number:
                    continue
                if (frame.epoch, frame.number) != (at.epoch, at.number + 1):
                    first = await joined(held, stream, None, history)  # a hole, or the chain began anew
                    at = found(parse(first.position), Refusal.BAD_MESSAGE)
                    yield _event(first.position, encode(first))
                    break
                yield _told(frame, reader)
                at = Position(frame.epoch, frame.number)
        yield _message(Bye(int(Close.SHUTDOWN), Close.SHUTDOWN.reason, follower.wait_ms))
    finally:
        follower.leave()


def _told(frame: Frame, reader: Identity | None) -> bytes:
    """A frame as an event, and whatever in it is for this reader alone."""
    mine = [aside.message for aside in frame.asides if reader is not None and aside.user == reader.id]
    asides = b"".join(b"data: " + message + b"\n\n" for message in mine)
    return _event(f"{frame.epoch}.{frame.number}", frame.plain) + asides


def _message(message: FromServer) -> bytes:
    return b"data: " + encode(message) + b"\n\n"


def close_all(followers: Sequence[Follower], drain_s: float) -> None:
    """Tell every reader to come back, spread evenly over `drain_s`."""
    for number, follower in enumerate(followers):
        follower.close(int(1000 * drain_s * (number + 1) / len(followers)))


def _event(position: str, data: bytes) -> bytes:
    return b"id: " + position.encode() + b"\ndata: " + data + b"\n\n"


ROUTES = [frames, one_frame, live]
