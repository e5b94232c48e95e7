"""Comments and frames as tests of chains need them."""

from typing import Any

from uproar.core.comment import User
from uproar.timeline import Top
from uproar.wire.codec import encode
from uproar.wire.deflate import deflate_alone
from uproar.wire.frames import Aside, Batch, ForYou, Frame, Shown, ShownParent

AT_MS = 1_790_000_000_000


def said(number: int, user: str = "ann", to: Shown | None = None, likes: int = 0) -> Shown:
    """The comment with this id."""
    parent = ShownParent(to.id, to.user.id, to.text) if to else None
    return Shown(str(number), User(user, user), f"text {number}", AT_MS + number, reply_to=parent, likes=likes)


def aside(user: str, comment: Shown) -> Aside:
    """The user is shown a reply that others are not."""
    return Aside(user, encode(ForYou(comment)))


def frame_of(
    top: Top,
    *comments: Shown,
    stream: str = "s",
    at_ms: int = AT_MS,
    asides: tuple[Aside, ...] = (),
    counted: dict[str, int] | None = None,
    lost: dict[str, int] | None = None,
    erased: dict[str, int] | None = None,
    **fields: Any,
) -> Frame:
    """The frame after `top`, with these comments and other fields of its batch."""
    number = top.number + 1
    plain = encode(Batch(f"{top.epoch}.{number}", removed_users=list(lost or ()), comments=list(comments), **fields))
    return Frame(
        stream=stream,
        epoch=top.epoch,
        number=number,
        before=top.checksum,
        upto=top.upto + 10,
        at_ms=at_ms,
        plain=plain,
        alone=deflate_alone(plain),
        comments=len(comments),
        posted_ms=min((comment.at for comment in comments), default=0),
        asides=asides,
        counted=counted or {},
        lost=lost or {},
        erased=erased or {},
        rules=fields.get("rules"),
        changes_gone=bool(lost) or not fields.keys().isdisjoint(("removed", "restored")),
    )


def top_after(frame: Frame) -> Top:
    """The end of the chain once the frame is in."""
    return Top(frame.epoch, frame.number, frame.checksum, frame.upto)
