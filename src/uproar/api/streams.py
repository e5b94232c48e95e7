"""Streams over HTTP: make and change, facts, pins, bans, reactions, likes, replay."""

from typing import Annotated

from litestar import Response, delete, get, post, put
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta, Struct

from uproar.api.asked import Asked
from uproar.api.comments import Id, WhyText
from uproar.api.given import SIGNED_IN, CommentId, StreamId, UserId, address, number, services, speaker, who
from uproar.api.problems import documented, found, granted
from uproar.core.refusal import Refusal
from uproar.core.stream import Stream
from uproar.read.service import Replay, StreamFacts
from uproar.wire.frames import Count
from uproar.write.change import StreamChange

MOST_MS = 253_402_300_799_999
SECONDS = 315_360_000
Ms = Annotated[int, QueryParameter(ge=0, le=MOST_MS, description="Milliseconds since the stream started.")]
Part = Annotated[int, PathParameter(ge=0, le=100_000_000, description="Which ten seconds, from 0.")]


class Pin(Struct, frozen=True, forbid_unknown_fields=True):
    """Until when, in milliseconds since 1970; absent: until unpinned."""

    until: Annotated[int, Meta(ge=0, le=MOST_MS)] | None = None


class Ban(Struct, frozen=True, forbid_unknown_fields=True):
    """For how long (absent: for good), why, and whether all that the user wrote here goes too."""

    seconds: Annotated[int, Meta(ge=1, le=SECONDS)] | None = None
    why: WhyText = ""
    remove: bool = False


class Reactions(Struct, frozen=True, forbid_unknown_fields=True):
    """Reactions by kind, at most 50 in all."""

    counts: dict[str, Count]


class Like(Struct, frozen=True, forbid_unknown_fields=True):
    """A comment to like, or no longer to like."""

    comment: Id
    on: bool = True


MADE = ResponseSpec(Stream, generate_examples=False, description="The stream was made.")


@put(
    "/v1/streams/{stream:str}",
    summary="Make or change a stream",
    responses={**documented(401, 403, 422), 201: MADE},
    security=SIGNED_IN,
)
async def put_stream(request: Asked, stream: StreamId, data: JSONBody[StreamChange]) -> Response[Stream]:
    """201 for a new stream, 200 for a changed one; what is absent stays."""
    now, made = granted(await services(request).write.put_stream(who(request), stream, data))
    return Response(now, status_code=201 if made else 200)


@get("/v1/streams/{stream:str}", summary="A stream's facts", responses=documented(404))
async def facts(request: Asked, stream: StreamId) -> StreamFacts:
    """The stream and how it is doing."""
    return found(await services(request).read.stream(stream), Refusal.NO_SUCH_STREAM)


@put(
    "/v1/streams/{stream:str}/pins/{comment:str}",
    summary="Pin",
    status_code=204,
    responses=documented(401, 403, 404),
    security=SIGNED_IN,
)
async def pin(request: Asked, stream: StreamId, comment: CommentId, data: JSONBody[Pin | None] = None) -> None:
    """By a moderator."""
    until = data.until if data else None
    granted(await services(request).write.pin(who(request), stream, number(comment), until))


@delete(
    "/v1/streams/{stream:str}/pins/{comment:str}",
    summary="Unpin",
    responses=documented(401, 403, 404),
    security=SIGNED_IN,
)
async def unpin(request: Asked, stream: StreamId, comment: CommentId) -> None:
    """By a moderator."""
    granted(await services(request).write.unpin(who(request), stream, number(comment)))


@put(
    "/v1/streams/{stream:str}/bans/{user:str}",
    summary="Ban or time out",
    status_code=204,
    responses=documented(401, 403, 404),
    security=SIGNED_IN,
)
async def ban(request: Asked, stream: StreamId, user: UserId, data: JSONBody[Ban | None] = None) -> None:
    """By a moderator; a later one replaces an earlier one."""
    given = data or Ban()
    granted(await services(request).write.ban(who(request), stream, user, given.seconds, given.why, given.remove))


@delete(
    "/v1/streams/{stream:str}/bans/{user:str}",
    summary="Lift a ban",
    responses=documented(401, 403, 404),
    security=SIGNED_IN,
)
async def unban(request: Asked, stream: StreamId, user: UserId) -> None:
    """By a moderator."""
    granted(await services(request).write.unban(who(request), stream, user))


@post("/v1/streams/{stream:str}/reactions", summary="React", status_code=204, responses=documented(401, 404, 409))
async def react(request: Asked, stream: StreamId, data: JSONBody[Reactions]) -> None:
    """Added up and shown in the next half second."""
    asker = who(request)
    services(request).pace.reaction(asker, address(request))
    granted(await request.app.state.react(asker, stream, data.counts))


@post(
    "/v1/streams/{stream:str}/likes",
    summary="Like a comment",
    status_code=204,
    responses=documented(401, 403, 404, 409),
    security=SIGNED_IN,
)
async def like(request: Asked, stream: StreamId, data: JSONBody[Like]) -> None:
    """One a user and comment."""
    granted(await services(request).write.like(speaker(request), stream, number(data.comment), data.on))


@get("/v1/streams/{stream:str}/replay", summary="A span of the past", responses=documented(404))
async def replay(request: Asked, stream: StreamId, from_ms: Ms = 0, to_ms: Ms = 600_000) -> Replay:
    """Comments and reaction counts by the time since the stream started."""
    return found(await services(request).read.replay(stream, from_ms, to_ms), Refusal.NO_SUCH_STREAM)


@get("/v1/streams/{stream:str}/replay/{part:int}", summary="Ten seconds of the past", responses=documented(404))
async def replay_part(request: Asked, stream: StreamId, part: Part) -> Response[Replay]:
    """The n-th ten seconds, from 0; cacheable once they are over."""
    answer = found(await services(request).read.replay_part(stream, part), Refusal.NO_SUCH_STREAM)
    return Response(answer.replay, headers={"Cache-Control": "max-age=30" if answer.over else "no-store"})


ROUTES = [put_stream, facts, pin, unpin, ban, unban, react, like, replay, replay_part]
