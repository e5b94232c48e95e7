"""What must hold on a bad day, judged from what clients did, were answered and saw; nothing here asks the server how.

The record is made while the day goes on; `broken` collects one line for each promise that was broken.
"""

from collections import defaultdict
from dataclasses import dataclass, field

OK, UNKNOWN = "ok", "unknown"
AGAIN_LIMIT = 50  # a `joined` with so many comments may not be all that there is


@dataclass
class Attempt:
    """One try to say something: outcome `ok`, `unknown`, or the code of the refusal."""

    stream: str
    user: str
    key: str
    text: str
    began_s: float
    ended_s: float = float("inf")
    outcome: str | int = UNKNOWN
    id: int = 0


@dataclass
class Ban:
    """A ban for good, from its answer until somebody begins to lift it."""

    stream: str
    user: str
    from_s: float
    until_s: float = float("inf")


@dataclass
class Record:
    """All that happened."""

    attempts: list[Attempt] = field(default_factory=list)
    bans: list[Ban] = field(default_factory=list)
    removed_s: dict[int, float] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)  # ids that somebody asked to remove or restore
    unruly: set[tuple[str, str]] = field(default_factory=set)  # (stream, user) whose comments a ban took down
    restored: set[int] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    values: dict[str, dict] = field(default_factory=dict)
    ids_of_text: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def breaks(self, invariant: str, why: str) -> None:
        """A promise was broken."""
        self.broken.append(f"{invariant}: {why}")

    def saw(self, comment: dict) -> None:
        """Somebody was shown a comment."""
        if not isinstance(comment["id"], str):
            self.breaks("I9", f"an id is no string: {comment['id']}")
        self.ids_of_text[comment["text"]].add(comment["id"])

    def may_be_gone(self, comment: dict) -> bool:
        """Whether somebody may have taken this comment down."""
        return int(comment["id"]) in self.touched or any(user == comment["user"]["id"] for _, user in self.unruly)

    def names_one_value(self, batch: dict) -> None:
        """(epoch, number) is one batch everywhere, but for what was taken down since."""
        known = self.values.setdefault(batch["position"], batch)
        if known == batch:
            return
        for name in {*known, *batch} - {"comments", "restored", "pinned"}:
            if known.get(name) != batch.get(name):
                self.breaks("I4", f"{batch['position']} has two values of {name}: {known.get(name)}, {batch.get(name)}")
        for name in ("comments", "restored", "pinned"):
            ours = {comment["id"]: comment for comment in known.get(name, ())}
            theirs = {comment["id"]: comment for comment in batch.get(name, ())}
            for one in ours.keys() ^ theirs.keys():
                if not self.may_be_gone(ours.get(one) or theirs[one]):
                    self.breaks("I4", f"{batch['position']} has {one} for some")


class Screen:
    """One viewer's page over all its connections: what it holds, and whether all was told in order."""

    def __init__(self, record: Record, stream: str, name: str) -> None:
        self.record = record
        self.stream = stream
        self.name = name
        self.position = ""
        self.asked = ""
        self.history = 0
        self.whole = False
        self.joined = False
        self.comments: dict[str, dict] = {}
        self.pinned: dict[str, dict] = {}
        self.reactions: dict[str, int] = {}
        self.began_s = 0.0

    def connects(self, position: str, history: int, now_s: float) -> None:
        """Another connection begins, from this position (empty: none), or with so many of the newest comments."""
        self.asked = position
        self.history = history
        self.joined = False
        self.began_s = now_s

    def told(self, message: dict) -> None:
        """The server says something."""
        kind = message["type"]
        if kind == "joined":
            self._join(message)
        elif kind in ("batch", "skipped"):
            self._batch(message, kind == "skipped")

    def _join(self, message: dict) -> None:
        self._late(message)
        if message["recovered"]:
            if message["position"] != self.position or not (self.joined or self.asked):
                self.record.breaks("I5", f"{self.name} held {self.position} and recovered {message['position']}")
        else:
            self.comments = {comment["id"]: comment for comment in message["comments"]}
            self.pinned = {comment["id"]: comment for comment in message["pinned"]}
            self.reactions = dict(message["reactions"])
            self.whole = len(message["comments"]) < min(AGAIN_LIMIT, self.history)
            for comment in message["comments"]:
                self.record.saw(comment)
        self.joined = True
        self.position = message["position"]

    def _batch(self, message: dict, skipped: bool) -> None:
        epoch, _, number = self.position.partition(".")
        frames = message["frames"] if skipped else 1
        if not self.joined or message["position"] != f"{epoch}.{int(number) + frames}":
            self.record.breaks("I4", f"{self.name} held {self.position} and got {message['position']}")
        self.position = message["position"]
        self._late(message)
        if skipped:
            self.whole = self.whole and not message["comments"]
        else:
            self.record.names_one_value(message)
        comments = [] if skipped else message.get("comments", [])
        for comment in (*comments, *message.get("restored", ())):
            self.record.saw(comment)
        self._apply(message, comments)

    def _late(self, message: dict) -> None:
        """Who came after a removal was answered never gets the text."""
        comments = message.get("comments", ())
        for comment in (*(comments if isinstance(comments, list) else ()), *message.get("pinned", ())):
            removed_s = self.record.removed_s.get(int(comment["id"]), float("inf"))
            if removed_s < self.began_s and int(comment["id"]) not in self.record.restored:
                self.record.breaks(
                    "I7", f"{self.name} came at {self.began_s} and got {comment['id']}, gone {removed_s}"
                )

    def _apply(self, message: dict, comments: list[dict]) -> None:
        users, gone = set(message.get("removed_users", ())), set(message.get("removed", ()))
        for shelf in (self.comments, self.pinned):
            for comment in list(shelf.values()):
                parent = comment.get("reply_to")
                if comment["id"] in gone or comment["user"]["id"] in users:
                    del shelf[comment["id"]]
                elif parent and (parent["id"] in gone or parent["user"] in users):
                    bare = {name: value for name, value in parent.items() if name != "text"}
                    shelf[comment["id"]] = {**comment, "reply_to": bare}
        for comment in (*message.get("restored", ()), *comments):
            self.comments[comment["id"]] = comment
        for comment in message.get("pinned", ()):
            self.pinned[comment["id"]] = comment
        for unpinned in message.get("unpinned", ()):
            self.pinned.pop(unpinned, None)
        for liked, likes in message.get("liked", {}).items():
            for shelf in (self.comments, self.pinned):
                if liked in shelf:
                    others = {name: value for name, value in shelf[liked].items() if name != "likes"}
                    shelf[liked] = {**others, "likes": likes} if likes else others
        for kind, count in message.get("reactions", {}).items():
            self.reactions[kind] = self.reactions.get(kind, 0) + count


@dataclass
class Truth:
    """One stream after recovery: a fresh snapshot as plain JSON values, and the store's comments by id."""

    stream: str
    position: str
    comments: dict[str, dict]
    pinned: dict[str, dict]
    reactions: dict[str, int]
    standing: dict[str, str]
    likes: dict[str, int]
    removed: set[str]


def judge(record: Record, screens: list[Screen], truths: dict[str, Truth], limit: int, span_s: float) -> list[str]:
    """All that was broken."""
    _posts(record, truths)
    _limits(record, limit, span_s)
    _bans(record)
    for truth in truths.values():
        _history(record, truth)
    for screen in screens:
        _same(record, screen, truths[screen.stream])
    return record.broken


def _posts(record: Record, truths: dict[str, Truth]) -> None:
    by_text: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in record.attempts:
        by_text[attempt.text].append(attempt)
    seen = {text: set(ids) for text, ids in record.ids_of_text.items()}
    for truth in truths.values():
        for comment_id, text in truth.standing.items():
            seen.setdefault(text, set()).add(comment_id)
    for text, attempts in by_text.items():
        acked = {str(attempt.id) for attempt in attempts if attempt.outcome == OK}
        ids = acked | seen.get(text, set())
        if len(ids) > 1:
            record.breaks("I3", f"{text} became {sorted(ids)}")
        if seen.get(text) and all(attempt.outcome not in (OK, UNKNOWN, 503) for attempt in attempts):
            record.breaks("I2", f"{text} was refused and seen: {[attempt.outcome for attempt in attempts]}")
        truth = truths[attempts[0].stream]
        for comment_id in acked - truth.standing.keys() - truth.removed:
            record.breaks("I1", f"{text} ({comment_id}) was answered ok and is lost")
    for text in seen.keys() - by_text.keys():
        record.breaks("I2", f"{text} was never said")
    owners: dict[str, str] = {}
    for text, ids in seen.items():
        for comment_id in ids:
            if owners.setdefault(comment_id, text) != text:
                record.breaks("I9", f"{comment_id} is two comments")


def _limits(record: Record, limit: int, span_s: float) -> None:
    spans: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(dict)
    for attempt in record.attempts:
        if not attempt.user.startswith("importer"):
            span = spans[attempt.stream, attempt.user].setdefault(attempt.text, [attempt.began_s, float("inf")])
            if attempt.outcome == OK:
                span[1] = min(span[1], attempt.ended_s)
    for (stream, user), posts in spans.items():
        accepted = sorted(span for span in posts.values() if span[1] < float("inf"))
        for at in range(len(accepted) - limit):
            some = accepted[at : at + limit + 1]
            if max(end for _, end in some) - some[0][0] < span_s:
                record.breaks("I11", f"{user} said {limit + 1} times something in {stream} from {some[0][0]}")


def _bans(record: Record) -> None:
    first = {}
    for attempt in record.attempts:
        first.setdefault(attempt.text, attempt.began_s)
    for ban in record.bans:
        for attempt in record.attempts:
            late = ban.from_s + 1 < first[attempt.text] and attempt.ended_s < ban.until_s
            if late and (attempt.stream, attempt.user, attempt.outcome) == (ban.stream, ban.user, OK):
                record.breaks("I10", f"{ban.user} was banned at {ban.from_s} and said {attempt.text}")


def _history(record: Record, truth: Truth) -> None:
    shown = {comment_id: comment["text"] for comment_id, comment in truth.comments.items()}
    for comment_id in shown.keys() ^ truth.standing.keys():
        where = "the timeline" if comment_id in shown else "the store"
        record.breaks("I6", f"{comment_id} of {truth.stream} stands in {where} alone")
    likes = {comment_id: comment["likes"] for comment_id, comment in truth.comments.items() if comment.get("likes")}
    if likes != truth.likes:
        record.breaks("I6", f"likes of {truth.stream} are {likes}, in the store {truth.likes}")


def _same(record: Record, screen: Screen, truth: Truth) -> None:
    if screen.position != truth.position:
        return record.breaks("I5", f"{screen.name} holds {screen.position}, the chain ends at {truth.position}")
    for name in ("comments", "pinned"):
        ours, theirs = getattr(screen, name), getattr(truth, name)
        missing = theirs.keys() - ours.keys() if screen.whole or name == "pinned" else ()
        for comment_id in missing:
            record.breaks("I6", f"{screen.name} lacks {comment_id} of {name}")
        for comment_id in ours.keys() - theirs.keys():
            record.breaks("I6", f"{screen.name} holds {comment_id} of {name}, a fresh snapshot does not")
        for comment_id in ours.keys() & theirs.keys():
            if ours[comment_id] != theirs[comment_id]:
                record.breaks("I6", f"{screen.name} holds {ours[comment_id]}, a fresh snapshot {theirs[comment_id]}")
    if screen.reactions != truth.reactions:
        record.breaks("I6", f"{screen.name} counts {screen.reactions}, a fresh snapshot {truth.reactions}")
    return None
