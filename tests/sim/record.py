"""What happened on a day, as clients saw it; each broken promise is one line in `broken`."""

from collections import defaultdict
from dataclasses import dataclass, field

OK, UNKNOWN = "ok", "unknown"
NEVER = float("inf")


@dataclass
class Attempt:
    """One try to say something: outcome `ok`, `unknown`, or the code of the refusal."""

    stream: str
    user: str
    key: str
    text: str
    began_s: float
    ended_s: float = NEVER
    outcome: str | int = UNKNOWN
    id: int = 0


@dataclass
class Ban:
    """A ban for good: asked for, answered, and lifted at the earliest when somebody began to."""

    stream: str
    user: str
    asked_s: float
    from_s: float = NEVER
    until_s: float = NEVER


@dataclass
class Loss:
    """A comment was taken down, or forgotten: asked for, and answered."""

    asked_s: float
    answered_s: float
    invariant: str = "I7"


@dataclass
class Record:
    """All that happened."""

    attempts: list[Attempt] = field(default_factory=list)
    bans: list[Ban] = field(default_factory=list)
    losses: dict[int, Loss] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)  # ids that somebody asked to remove or restore
    restored: set[int] = field(default_factory=set)
    unruly: set[tuple[str, str]] = field(default_factory=set)  # (stream, user) whose comments a ban took down
    forgotten: dict[str, float] = field(default_factory=dict)  # users, by when the last erasure of theirs ended
    calm: list[tuple[str, str, str | int]] = field(default_factory=list)  # (user, stream, outcome) once all is well
    timeline_lost_s: float = -NEVER
    sampled: bool = False
    clock_stepped: bool = False
    limits_lost: bool = False  # a process began on a stepped clock: it counts posts at other times than they came
    broken: list[str] = field(default_factory=list)
    values: dict[str, dict] = field(default_factory=dict)
    ids_of_text: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def breaks(self, invariant: str, why: str) -> None:
        """A promise was broken."""
        self.broken.append(f"{invariant}: {why}")

    def accepted(self, user: str, before_s: float, stream: str = "") -> list[Attempt]:
        """What the user was answered `ok` for before then, in one stream or everywhere."""
        return [
            attempt
            for attempt in self.attempts
            if attempt.user == user
            and attempt.outcome == OK
            and attempt.ended_s < before_s
            and stream in ("", attempt.stream)
        ]

    # -- comments

    def saw(self, comment: dict, asked_s: float, who: str, lost_s: float = -NEVER) -> None:
        """Somebody who asked at `asked_s` was shown a comment. What was gone by then is shown to nobody.

        `lost_s` is when those who showed it lost their knowledge of what was gone.
        """
        if not isinstance(comment["id"], str):
            self.breaks("I9", f"an id is no string: {comment['id']}")
        self.ids_of_text[comment["text"]].add(comment["id"])
        parent = comment.get("reply_to", {})
        for shown in (comment, parent) if parent.get("text") else (comment,):
            loss = self.losses.get(int(shown["id"]))
            if loss and lost_s < loss.asked_s and loss.answered_s < asked_s and int(shown["id"]) not in self.restored:
                self.breaks(loss.invariant, f"{who} asked at {asked_s} and got {shown}, gone {loss.answered_s}")

    def may_be_gone(self, comment_id: int, user: str) -> bool:
        """Whether somebody may have taken this comment down."""
        by_ban = any(user == unruly for _, unruly in self.unruly)
        return comment_id in self.touched or by_ban or user in self.forgotten

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
                comment = ours.get(one) or theirs[one]
                if not self.may_be_gone(int(one), comment["user"]["id"]):
                    self.breaks("I4", f"{batch['position']} has {one} for some")
