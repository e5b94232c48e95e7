"""Batches as a server makes them, out of anything that can happen in a stream."""

from hypothesis import strategies as st
from msgspec.structs import replace

from tests.frames import said
from uproar.wire.frames import Batch, PosterRules, Shown

USERS = ("ann", "bob", "cat")
DEEDS = st.tuples(
    st.sampled_from(
        ["post", "post", "reply", "remove", "remove_user", "restore", "pin", "unpin", "like", "react", "rule"]
    ),
    st.integers(0, 11),
    st.integers(0, 2),
)
WINDOWS = st.lists(st.lists(DEEDS, max_size=6), min_size=1, max_size=8)


class Server:
    """Knows every comment, and makes each window's deeds into a batch: one deed of a kind for a comment in each."""

    def __init__(self) -> None:
        self.number = 0
        self.posted: dict[str, Shown] = {}
        self.removed: set[str] = set()
        self.likes: dict[str, int] = {}

    def batch(self, deeds: list[tuple[str, int, int]]) -> Batch:
        """The batch of one window."""
        self.number += 1
        batch = Batch(f"e.{self.number}", [], [], [], [], [], [], {}, {})
        for kind, which, who in deeds:
            batch = self._do(batch, kind, which, USERS[who])
        return batch

    def _do(self, batch: Batch, kind: str, which: int, user: str) -> Batch:
        known = list(self.posted.values())
        about = known[which % len(known)] if known else None
        standing = about is not None and about.id not in self.removed
        named = {comment.id for comment in (*batch.comments, *batch.restored, *batch.pinned)}
        named |= {*batch.removed, *batch.unpinned}
        match kind:
            case "post" | "reply":
                return self._post(batch, user, about if kind == "reply" and standing else None)
            case "react":
                batch.reactions["x"] = batch.reactions.get("x", 0) + which
            case "rule":
                return replace(batch, rules=PosterRules(which, 0, (), "live"), left_out=batch.left_out + which)
            case _ if about is None or about.id in named:
                pass
            case "like":
                self.likes[about.id] = batch.liked[about.id] = which
            case "remove":
                self._lose(batch, [about])
                batch.removed.append(about.id)
            case "remove_user" if not (batch.comments or batch.restored or batch.pinned):
                self._lose(batch, [comment for comment in known if comment.user.id == user])
                batch.removed_users.append(user)
            case "restore" if not standing:
                self.removed.discard(about.id)
                self._show(batch, batch.restored, about)
            case "pin" if standing:
                self._show(batch, batch.pinned, replace(about, highlight="pinned"))
            case "unpin":
                batch.unpinned.append(about.id)
        return batch

    def _post(self, batch: Batch, user: str, to: Shown | None) -> Batch:
        comment = said(len(self.posted) + 1, user, to)
        self.posted[comment.id] = comment
        batch.comments.append(comment)
        return batch

    def _show(self, batch: Batch, where: list[Shown], comment: Shown) -> None:
        """A total is told with every pin and restoring; previews of what is gone have no text."""
        parent = comment.reply_to
        if parent and parent.id in self.removed:
            comment = replace(comment, reply_to=replace(parent, text=""))
        where.append(comment)
        batch.liked[comment.id] = self.likes.get(comment.id, 0)

    def _lose(self, batch: Batch, comments: list[Shown]) -> None:
        """What the batch shows already loses its previews of them, as in any net result."""
        gone = {comment.id for comment in comments}
        self.removed |= gone
        for shelf in (batch.comments, batch.restored, batch.pinned):
            for at, comment in enumerate(shelf):
                if comment.reply_to and comment.reply_to.id in gone:
                    shelf[at] = replace(comment, reply_to=replace(comment.reply_to, text=""))
