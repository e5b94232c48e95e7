"""What `uproar watch` shows: comments, pins, reactions with rates, viewers, and how the connection stands."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from uproar.cli.returning import State
from uproar.core.stream import REACTIONS
from uproar.wire.frames import Batch, FromServer, Joined, Notice, RefusedMessage, Shown, Skipped, Viewers
from uproar.wire.picture import Picture

FRAMES_PER_S: Final = 8
SPAN_S: Final = 5.0
KEPT: Final = 500
CHROME_LINES: Final = 5
STATE_STYLES: Final = {"live": "green", "joining": "yellow", "away": "bold red"}
USER_STYLES: Final = ("cyan", "magenta", "blue", "green", "yellow", "bright_red")


class Rate:
    """So many a second, over the last `SPAN_S`."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._counts: deque[tuple[float, int]] = deque(maxlen=1_000)

    def add(self, count: int) -> None:
        """That many came now."""
        self._counts.append((self._now(), count))

    @property
    def per_s(self) -> float:
        """The mean of the span."""
        since = self._now() - SPAN_S
        return sum(count for at, count in self._counts if at > since) / SPAN_S


class Screen:
    """One stream as a terminal shows it; rich draws it again and again from what it holds."""

    def __init__(self, stream: str, now: Callable[[], float]) -> None:
        self._stream = stream
        self._picture = Picture(KEPT)
        self._viewers = 0
        self._state = State("joining")
        self._why_away = self._complaint = ""
        self._comments = Rate(now)
        self._now = now
        self._reactions: dict[str, Rate] = {}

    def live(self) -> Live:
        """The display, redrawn while it is entered."""
        return Live(self, refresh_per_second=FRAMES_PER_S, screen=True)

    def stand(self, state: State) -> None:
        """How the connection stands now."""
        self._state = state
        if state.word != "joining":
            self._why_away = state.why

    def take(self, message: FromServer) -> None:
        """Let a message of the server change what is shown."""
        match message:
            case Joined():
                self._picture.begin(message)
                self._viewers = message.viewers
            case Viewers():
                self._viewers = message.viewers
            case RefusedMessage() | Notice():
                self._complaint = message.message
            case Batch() | Skipped():
                self._picture.apply(message)
                self._count(message)

    def _count(self, batch: Batch | Skipped) -> None:
        here = len(batch.comments) if isinstance(batch, Batch) else batch.comments
        self._comments.add(here + batch.left_out)
        for kind, count in batch.reactions.items():
            self._reactions.setdefault(kind, Rate(self._now)).add(count)

    # -- drawing

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The head, the pins, as many of the newest comments as fit, the reactions."""
        pins = list(self._picture.pinned.values())
        room = max(1, (options.height or console.height) - CHROME_LINES - len(pins))
        yield self._head()
        yield Rule(Text(self._why_away or self._complaint, "red"), style="dim")
        yield from (_comment(pin, "📌 ") for pin in pins)
        yield _rows(self._picture.newest(room), room)
        yield Rule(style="dim")
        yield self._bar()

    def _head(self) -> Table:
        wait = f" {self._state.wait_s:.1f} s" if self._state.wait_s else ""
        head = Table.grid(expand=True)
        head.add_column()
        head.add_column(justify="right")
        head.add_row(
            Text.assemble((self._stream, "bold"), "  ", (self._state.word + wait, STATE_STYLES[self._state.word])),
            Text(f"{self._viewers:,} viewers   {self._comments.per_s:.1f} comments/s   {self._left_out()}"),
        )
        return head

    def _left_out(self) -> str:
        return f"{self._picture.left_out:,} left out" if self._picture.left_out else "nothing left out"

    def _bar(self) -> Text:
        rules = self._picture.rules
        kinds = rules.reactions if rules and rules.reactions else REACTIONS
        return Text("   ").join(self._reaction(kind) for kind in kinds)

    def _reaction(self, kind: str) -> Text:
        rate = self._reactions[kind].per_s if kind in self._reactions else 0.0
        total = f"{self._picture.reactions.get(kind, 0):,}"
        return Text.assemble(f"{kind} {total}", (f" {rate:.0f}/s" if rate else "", "bold yellow"))


def _rows(comments: Iterable[Shown], height: int) -> Table:
    rows = Table.grid(padding=(0, 1))
    lines = [_comment(comment) for comment in comments]
    for text in [*lines, *[Text()] * (height - len(lines))]:
        rows.add_row(text)
    return rows


def harmless(text: str) -> str:
    """The text on one line, in which nothing steers a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def _comment(comment: Shown, before: str = "") -> Text:
    style = USER_STYLES[sum(comment.user.id.encode()) % len(USER_STYLES)]
    likes = f"  ♥ {comment.likes}" if comment.likes else ""
    answered = f"@{comment.reply_to.user} " if comment.reply_to else ""
    badge = {"creator": "★ ", "moderator": "⚑ "}.get(comment.highlight, "")
    return Text.assemble(
        before,
        (f"{badge}{harmless(comment.user.name)}{' ✓' if comment.user.verified else ''} ", f"bold {style}"),
        (answered, "dim"),
        harmless(comment.text),
        (likes, "red"),
        no_wrap=True,
        overflow="ellipsis",
    )
