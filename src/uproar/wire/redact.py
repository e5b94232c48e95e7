"""Batches and frames without what is gone, for whoever reads them later."""

from typing import Protocol

from msgspec.structs import replace

from uproar.wire.codec import encode, read_batch, read_message
from uproar.wire.deflate import deflate_alone
from uproar.wire.frames import Aside, Batch, ForYou, Frame, Shown
from uproar.wire.picture import without_text


class Covers(Protocol):
    """Tells what is gone."""

    def covers(self, comment_id: int, user: str) -> bool:
        """Whether the comment `comment_id` by `user` is gone."""


def redact(batch: Batch, gone: Covers) -> Batch:
    """The batch without comments that are gone and without their text in previews; the same object if it has none."""
    clean = {name: _without(getattr(batch, name), gone) for name in ("restored", "comments", "pinned")}
    changed = {name: shown for name, shown in clean.items() if shown != getattr(batch, name)}
    return replace(batch, **changed) if changed else batch


def redact_frame(frame: Frame, gone: Covers) -> Frame:
    """The frame with its batch and asides redacted and encoded anew; the same object if nothing in it is gone.

    Position and number stay, so the chain holds for viewers. Its checksum is another: chains are checked on the frames
    as they were announced, those of `since` are trusted by number.
    """
    batch = read_batch(frame.plain)
    clean = redact(batch, gone)
    if clean is not batch:
        frame = _encoded(frame, clean)
    asides = tuple(told for aside in frame.asides if (told := _told(aside, gone)))
    return frame if asides == frame.asides else replace(frame, asides=asides)


def _encoded(frame: Frame, batch: Batch) -> Frame:
    plain = encode(batch)
    posted_ms = min((comment.at for comment in batch.comments), default=0)
    return replace(frame, plain=plain, alone=deflate_alone(plain), comments=len(batch.comments), posted_ms=posted_ms)


def _told(aside: Aside, gone: Covers) -> Aside | None:
    """What the user is told after all; None when it was about a comment that is gone."""
    message = read_message(aside.message)
    if not isinstance(message, ForYou):
        return aside
    told = _without([message.comment], gone)
    if not told:
        return None
    return aside if told[0] is message.comment else Aside(aside.user, encode(ForYou(told[0])))


def _without(comments: list[Shown], gone: Covers) -> list[Shown]:
    return [_blanked(comment, gone) for comment in comments if not gone.covers(int(comment.id), comment.user.id)]


def _blanked(comment: Shown, gone: Covers) -> Shown:
    parent = comment.reply_to
    if parent is None or not parent.text or not gone.covers(int(parent.id), parent.user):
        return comment
    return without_text(comment)
