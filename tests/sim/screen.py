"""One viewer's page over all its connections: what it holds, and whether all was told in order."""

from tests.sim.record import Record

AGAIN_LIMIT = 50  # a `joined` with so many comments may not be all that there is


class Screen:
    """Keeps what a client keeps, by the rules of the protocol's page."""

    def __init__(self, record: Record, stream: str, name: str) -> None:
        self.record = record
        self.stream = stream
        self.name = name
        self.position = ""
        self.asked = ""
        self.history = 0
        self.whole = False
        self.joined = False
        self.recovered = False
        self.comments: dict[str, dict] = {}
        self.pinned: dict[str, dict] = {}
        self.reactions: dict[str, int] = {}
        self.began_s = 0.0
        self.wait_s = 0.0

    def connects(self, position: str, history: int, now_s: float) -> None:
        """Another connection begins, from this position (empty: none), or with so many of the newest comments."""
        self.asked = position
        self.history = history
        self.joined = self.recovered = False
        self.began_s = now_s
        self.wait_s = 0.0

    def told(self, message: dict) -> None:
        """The server says something."""
        match message["type"]:
            case "joined":
                self._join(message)
            case "batch":
                self._batch(message)
            case "skipped":
                self._skip(message)
            case "for_you":
                self._saw(message["comment"])
            case "bye":
                self.wait_s = message.get("retry_after_ms", 0) / 1000

    def _saw(self, *comments: dict) -> None:
        for comment in comments:
            self.record.saw(comment, self.began_s, self.name, self.record.timeline_lost_s)

    def _join(self, message: dict) -> None:
        self._saw(*message["comments"], *message["pinned"])
        self.recovered = message["recovered"]
        if self.recovered:
            if message["position"] != self.position or not (self.joined or self.asked):
                self.record.breaks("I5", f"{self.name} held {self.position} and recovered {message['position']}")
        else:
            self.comments = {comment["id"]: comment for comment in message["comments"]}
            self.pinned = {comment["id"]: comment for comment in message["pinned"]}
            self.reactions = dict(message["reactions"])
            self.whole = len(message["comments"]) < min(AGAIN_LIMIT, self.history)
        self.joined = True
        self.position = message["position"]

    def _batch(self, message: dict) -> None:
        self._go_on(message, 1)
        self.record.names_one_value(message)
        shown = message.get("comments", [])
        self._saw(*shown, *message.get("restored", ()), *message.get("pinned", ()))
        self._apply(message, shown)

    def _skip(self, message: dict) -> None:
        """Comments come as a number alone."""
        self._go_on(message, message["frames"])
        self.whole = self.whole and not message["comments"]
        self._saw(*message.get("restored", ()), *message.get("pinned", ()))
        self._apply(message, [])

    def _go_on(self, message: dict, frames: int) -> None:
        epoch, _, number = self.position.partition(".")
        if not self.joined or message["position"] != f"{epoch}.{int(number) + frames}":
            broken = "I5" if self.recovered else "I4"
            self.record.breaks(broken, f"{self.name} held {self.position} and got {message['position']}")
        self.recovered = False
        self.position = message["position"]

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
