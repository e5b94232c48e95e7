"""Refusals as HTTP answers: `application/problem+json` (RFC 9457) with the catalogue's fields."""

from typing import Any, TypeVar

from litestar import Response
from litestar.openapi import ResponseSpec
from msgspec import UNSET, Struct, UnsetType

from uproar.core.refusal import Refusal, Refused

PROBLEM = "application/problem+json"
_T = TypeVar("_T")


class Problem(Struct, frozen=True):
    """Why not: the catalogue's `code`, `reason`, `message`, `again` beside RFC 9457's own fields."""

    type: str
    title: str
    status: int
    code: int
    reason: str
    message: str
    again: bool
    retry_after_ms: int | UnsetType = UNSET


class Denied(Exception):
    """A refusal on its way to the caller."""

    def __init__(self, why: Refused, status: int | None = None) -> None:
        super().__init__(why.message)
        self.why = why
        self.status = status or why.refusal.status


def granted(answer: _T | Refused) -> _T:
    """The answer; raises `Denied` for a refusal."""
    if isinstance(answer, Refused):
        raise Denied(answer)
    return answer


def found(answer: _T | None, refusal: Refusal) -> _T:
    """The answer; raises `Denied` where there is none."""
    if answer is None:
        raise Denied(Refused(refusal))
    return answer


def problem(why: Refused, status: int | None = None) -> Response[Problem]:
    """The refusal as an answer, of this moment only; `Retry-After` in whole seconds where a time is known."""
    refusal, wait_ms = why.refusal, why.retry_after_ms
    status = status or refusal.status
    body = Problem(
        type="about:blank",
        title=refusal.reason.replace("_", " "),
        status=status,
        code=refusal.code,
        reason=refusal.reason,
        message=why.message,
        again=refusal.again,
        retry_after_ms=UNSET if wait_ms is None else wait_ms,
    )
    headers = {"Cache-Control": "no-store"}
    if wait_ms is not None:
        headers["Retry-After"] = str(-(-wait_ms // 1000))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body, status_code=status, media_type=PROBLEM, headers=headers)


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """What an operation can answer besides success; what `EVERYWHERE` names can always happen."""
    return {
        status: ResponseSpec(Problem, generate_examples=False, description=WORDS[status], media_type=PROBLEM)
        for status in sorted({*EVERYWHERE, *statuses})
    }


EVERYWHERE = (400, 413, 429, 431, 503)
WORDS: dict[int, str] = {
    400: "The request does not follow the protocol (310).",
    401: "Not signed in, or with a token that does not hold (101, 102).",
    403: "Not allowed, banned, timed out, or too new (103, 110-112).",
    404: "There is no such stream or comment (301, 303).",
    409: "The stream has ended (302).",
    410: "No longer kept (303).",
    413: "The body is larger than 64 KiB.",
    422: "The text is not taken (2xx).",
    429: "Too fast (120-122), or too many connections from one address (502).",
    431: "The head is larger than 8 KiB.",
    503: "Unavailable, overloaded, or unconfirmed (501-503).",
}


def about(fault: Any) -> str:
    """One sentence of a validation fault, short enough to show."""
    return str(fault).splitlines()[0][:200] if str(fault) else ""
