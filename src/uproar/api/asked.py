"""A request as the OpenAPI page tells it: a path in one spelling, known parameters once each, a body to the letter."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from litestar import Request, Response
from litestar.params import QueryParameter
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from msgspec import DecodeError
from msgspec.json import decode

from uproar.api.problems import Denied, about
from uproar.core.refusal import Refusal, Refused


class Asked(Request[Any, Any, Any]):
    """Litestar's request; its body is read as what the operation takes, and nothing is made to fit."""

    async def json(self) -> Any:
        """The body. Raises `Denied` (310) where it is no JSON, or not what the operation takes."""
        wanted = self.route_handler.parsed_data_field
        try:
            return decode(await self.body(), type=wanted.annotation if wanted else Any)
        except (DecodeError, UnicodeDecodeError, RecursionError) as fault:
            raise _refused(about(fault)) from fault


async def as_told(request: Request[Any, Any, Any]) -> Response[None] | None:
    """Before every operation. Raises `Denied` (310) for what the page does not tell; OPTIONS is answered here."""
    if request.method == "OPTIONS":
        return Response(None, status_code=204, headers={"Allow": allow(_methods(request))})
    if request.route_handler.include_in_schema is not False:
        _spelt_in_one_way(request)
        _known_and_once(request)
        await _with_a_body(request)
    return None


def allow(methods: Iterable[str]) -> str:
    """The `Allow` header: HEAD goes wherever GET goes."""
    known = set(methods)
    return ", ".join(sorted(known | {"HEAD"} if "GET" in known else known))


def heads(app: ASGIApp) -> ASGIApp:
    """The application with HEAD: what GET answers, without a body."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        async def head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        if scope.get("method") != "HEAD":
            return await app(scope, receive, send)
        as_get: Any = {**scope, "method": "GET"}
        return await app(as_get, receive, head)

    return asked


def _methods(request: Request[Any, Any, Any]) -> Iterable[str]:
    template = request.scope["path_template"]
    return next(route.methods for route in request.app.routes if route.path_format == template)


def _spelt_in_one_way(request: Request[Any, Any, Any]) -> None:
    """Every resource has one path: no slash too many or within an id, no `+1` for 1, no line end."""
    parts = [unquote(part) for part in request.scope["raw_path"].decode("ascii", "replace").split("/")]
    values = [str(value) for value in request.path_params.values()]
    if len(parts) != request.scope["path_template"].count("/") + 1 or not set(values) <= set(parts):
        raise _refused("This is no path of ours; mind the slashes and the zeros.", 404)
    if any("\n" in value for value in values):  # a pattern's `$` lets one through at the end
        raise _refused("An id is one line.")


def _known_and_once(request: Request[Any, Any, Any]) -> None:
    given = [name for name, _ in request.query_params.multi_items()]
    parameters = request.route_handler.parsed_fn_signature.parameters
    known = {name for name, field in parameters.items() if isinstance(field.kwarg_definition, QueryParameter)}
    if unknown := set(given) - known:
        raise _refused(f"There is no parameter {min(unknown)[:50]!r} here.")
    if len(given) != len(set(given)):
        raise _refused("A parameter may be given once.")


async def _with_a_body(request: Request[Any, Any, Any]) -> None:
    wanted = request.route_handler.parsed_data_field
    if wanted and not wanted.is_optional and not await request.body():
        raise _refused("A body is missing.")


def _refused(detail: str, status: int | None = None) -> Denied:
    return Denied(Refused(Refusal.BAD_MESSAGE, detail=detail), status)
