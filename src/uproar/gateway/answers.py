"""Short answers over HTTP, each a refusal as the catalogue words it, and the end of its connection."""

from typing import NamedTuple

from uproar.core.refusal import Refusal, Refused
from uproar.wire.codec import encode

STATUS = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    413: "Content Too Large",
    426: "Upgrade Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class Denial(NamedTuple):
    """A request that is not done: the HTTP status, and why."""

    status: int
    why: Refused


MALFORMED = Refused(Refusal.BAD_MESSAGE)
CROWDED = Denial(429, Refused(Refusal.OVERLOADED, 10_000, "There are too many connections from your address."))
HURRIED = Denial(503, Refused(Refusal.OVERLOADED, 1000))
FULL = Denial(503, Refused(Refusal.OVERLOADED, 10_000))
UNREADABLE = Denial(400, Refused(Refusal.BAD_MESSAGE, detail="This is no request that we can read."))
LARGE_BODY = Denial(413, Refused(Refusal.BAD_MESSAGE, detail="The body is too large."))
LARGE_HEAD = Denial(431, Refused(Refusal.BAD_MESSAGE, detail="The head is too large."))


def denied(denial: Denial, extra: str = "") -> bytes:
    """The whole answer, which ends its connection; `extra` are further lines of its head."""
    status, why = denial
    body = _problem(status, why)
    head = f"HTTP/1.1 {status} {STATUS[status]}\r\nContent-Type: application/problem+json\r\n"
    last = f"Content-Length: {len(body)}\r\nConnection: close\r\n{extra}{_retry_after(why)}\r\n"
    return f"{head}{last}".encode("latin-1") + body


def _retry_after(why: Refused) -> str:
    wait_ms = why.retry_after_ms
    return "" if wait_ms is None else f"Retry-After: {-(-wait_ms // 1000)}\r\n"


def _problem(status: int, why: Refused) -> bytes:
    refusal = why.refusal
    return encode(
        {
            "type": "about:blank",
            "title": STATUS[status],
            "status": status,
            "code": refusal.code,
            "reason": refusal.reason,
            "message": why.message,
            "again": refusal.again,
            **({} if why.retry_after_ms is None else {"retry_after_ms": why.retry_after_ms}),
        }
    )
