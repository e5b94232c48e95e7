"""Comments over HTTP: post, pages, one, replies, remove, restore, report."""

from typing import Annotated

from litestar import Response, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.params import HeaderParameter, JSONBody
from msgspec import Meta, Struct

from uproar.api.asked import Asked
from uproar.api.given import SIGNED_IN, CommentId, Edge, Limit, StreamId, address, edge, number, services, speaker, who
from uproar.api.problems import documented, found, granted
from uproar.core.refusal import Refusal
from uproar.read.service import Page
from uproar.wire.frames import Shown, shown

Id = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,18})$")]
Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=64,
        required=False,
        description="Made by the caller; a retry under it says the same thing once.",
    ),
]
WhyText = Annotated[str, Meta(max_length=500)]


class NewComment(Struct, frozen=True, forbid_unknown_fields=True):
    """What to say, and what it answers."""

    text: str
    reply_to: Id | None = None


class Why(Struct, frozen=True, forbid_unknown_fields=True):
    """A reason, for moderators to read."""

    why: WhyText = ""


Reason = Why | None


@post(
    "/v1/streams/{stream:str}/comments",
    summary="Post a comment",
    responses=documented(401, 403, 404, 409, 422),
    response_headers=[
        ResponseHeader("Location", documentation_only=True, required=True, description="Where the comment is.")
    ],
    security=SIGNED_IN,
)
async def post_comment(
    request: Asked, stream: StreamId, data: JSONBody[NewComment], key: Key = None
) -> Response[Shown]:
    """Say something; an `Idempotency-Key` sees to it that a retry says it once."""
    parent = None if data.reply_to is None else number(data.reply_to)
    post = services(request).write.post(speaker(request), stream, data.text, parent, key or "", address(request))
    comment = granted(await post)
    return Response(shown(comment, stream=True), headers={"Location": f"/v1/streams/{stream}/comments/{comment.id}"})


@get("/v1/streams/{stream:str}/comments", summary="Comments, newest first", responses=documented(404))
async def page_comments(
    request: Asked, stream: StreamId, before: Edge = None, after: Edge = None, limit: Limit = 50
) -> Page:
    """A page below `before` or above `after`."""
    held = services(request)
    found(granted(await held.write.stream(stream)), Refusal.NO_SUCH_STREAM)
    return await held.read.page(stream, before=edge(before), after=edge(after), limit=limit)


@get("/v1/streams/{stream:str}/comments/{comment:str}", summary="One comment", responses=documented(404))
async def one_comment(request: Asked, stream: StreamId, comment: CommentId) -> Shown:
    """A comment that stands."""
    return found(await services(request).read.comment(stream, number(comment)), Refusal.NO_SUCH_COMMENT)


@get(
    "/v1/streams/{stream:str}/comments/{comment:str}/replies",
    summary="Replies, oldest first",
    responses=documented(404),
)
async def replies(request: Asked, stream: StreamId, comment: CommentId, after: Edge = None, limit: Limit = 50) -> Page:
    """A page of a comment's replies above `after`."""
    held = services(request)
    found(await held.read.comment(stream, number(comment)), Refusal.NO_SUCH_COMMENT)
    return await held.read.replies(stream, number(comment), after=edge(after), limit=limit)


@delete(
    "/v1/streams/{stream:str}/comments/{comment:str}",
    summary="Remove a comment",
    responses=documented(401, 403, 404),
    security=SIGNED_IN,
)
async def remove(request: Asked, stream: StreamId, comment: CommentId, data: JSONBody[Reason] = None) -> None:
    """By its author or a moderator: gone from every read when this answers."""
    why = data.why if data else ""
    granted(await services(request).write.remove(who(request), stream, number(comment), why))


@post(
    "/v1/streams/{stream:str}/comments/{comment:str}/restore",
    summary="Undo a removal",
    status_code=204,
    responses=documented(401, 403, 404),
    security=SIGNED_IN,
)
async def restore(request: Asked, stream: StreamId, comment: CommentId) -> None:
    """By a moderator."""
    granted(await services(request).write.restore(who(request), stream, number(comment)))


@post(
    "/v1/streams/{stream:str}/comments/{comment:str}/report",
    summary="Report a comment",
    status_code=204,
    responses=documented(401, 403, 404, 409),
    security=SIGNED_IN,
)
async def report(request: Asked, stream: StreamId, comment: CommentId, data: JSONBody[Reason] = None) -> None:
    """Ask moderators to look at it."""
    why = data.why if data else ""
    granted(await services(request).write.report(speaker(request), stream, number(comment), why))


ROUTES = [post_comment, page_comments, one_comment, replies, remove, restore, report]
