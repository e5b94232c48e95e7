"""Every refusal that a viewer, poster or caller can get: code, reason, words, whether to try again, HTTP status."""

from enum import Enum
from typing import NamedTuple


class _Why(NamedTuple):
    code: int
    status: int
    again: bool
    message: str


class Refusal(Enum):
    """The catalogue. 1xx is about the user, 2xx the text, 3xx the stream, 5xx us; a member's name is its reason."""

    NOT_SIGNED_IN = _Why(101, 401, True, "Please sign in first.")
    BAD_TOKEN = _Why(102, 401, True, "Your sign-in is not valid any more; please sign in again.")
    NOT_ALLOWED = _Why(103, 403, False, "You may not do this here.")
    BANNED = _Why(110, 403, False, "You cannot comment here any more.")
    TIMED_OUT = _Why(111, 403, True, "You cannot comment here for a while.")
    TOO_NEW = _Why(112, 403, True, "Your account is still too new to comment here.")
    TOO_FAST = _Why(120, 429, True, "You are commenting a little too fast.")
    TOO_FAST_EVERYWHERE = _Why(121, 429, True, "You are commenting in many places at once; please slow down.")
    SLOW_MODE = _Why(122, 429, True, "This stream is in slow mode; please wait a moment.")
    EMPTY = _Why(201, 422, False, "There is nothing to read in this.")
    TOO_LONG = _Why(202, 422, False, "This is too long.")
    UNPRINTABLE = _Why(203, 422, False, "This contains characters that cannot be shown.")
    LANGUAGE = _Why(210, 422, False, "Please say it in kinder words.")
    REPEATED = _Why(211, 422, False, "This was said just now.")
    LINK = _Why(212, 422, False, "Links are not welcome here.")
    EMOJI_ONLY = _Why(213, 422, False, "Only emoji are welcome here.")
    NO_SUCH_STREAM = _Why(301, 404, False, "There is no such stream.")
    STREAM_ENDED = _Why(302, 409, False, "This stream has ended.")
    NO_SUCH_COMMENT = _Why(303, 404, False, "There is no such comment.")
    BAD_MESSAGE = _Why(310, 400, False, "This message does not follow the protocol.")
    UNAVAILABLE = _Why(501, 503, True, "We cannot take this right now; nothing was kept.")
    OVERLOADED = _Why(502, 503, True, "Too much is going on right now; nothing was kept.")
    UNCONFIRMED = _Why(503, 503, True, "This was perhaps kept; send it again with the same key to be sure.")

    @property
    def code(self) -> int:
        """The number by which programs know it; never given to another meaning."""
        return self.value.code

    @property
    def reason(self) -> str:
        """The protocol's word for it, as in `too_fast`."""
        return self.name.lower()

    @property
    def message(self) -> str:
        """A kind sentence for whoever is refused."""
        return self.value.message

    @property
    def again(self) -> bool:
        """Whether the same request can succeed later."""
        return self.value.again

    @property
    def status(self) -> int:
        """The HTTP status that goes with it."""
        return self.value.status


class Refused(NamedTuple):
    """The answer no: which refusal, when to come back (None where time does not help), and what is special about it."""

    refusal: Refusal
    retry_after_ms: int | None = None
    detail: str = ""

    @property
    def message(self) -> str:
        """The sentence to show: the detail, where there is one, says it better than the catalogue."""
        return self.detail or self.refusal.message
