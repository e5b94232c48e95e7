"""The page at `/`, its files, and health."""

from importlib.resources import files
from typing import Annotated, Any

from litestar import MediaType, Request, Response, get
from litestar.openapi import ResponseSpec
from litestar.params import PathParameter
from msgspec import Struct

from uproar.api.asked import Asked
from uproar.api.given import services
from uproar.api.problems import PROBLEM, Denied, documented
from uproar.core.refusal import Refusal, Refused
from uproar.core.text import is_id

WEB = files("uproar") / "web"
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
SAFE = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Health(Struct, frozen=True):
    """How this process is."""

    ok: bool


@get(["/", "/s/{stream:str}"], include_in_schema=False)
async def page(request: Asked) -> Response[str]:
    """The page."""
    doors = "true" if services(request).settings.guests else "false"
    text = (WEB / "index.html").read_text(encoding="utf-8").replace("{open}", doors)
    return Response(text, media_type=MediaType.HTML, headers={**SAFE, "Cache-Control": "no-cache"})


@get("/web/{name:str}", include_in_schema=False)
async def web_file(name: Annotated[str, PathParameter(pattern=r"^[a-z-]+\.(js|css|svg)$")]) -> Response[bytes]:
    """A file of the page."""
    file = WEB / name
    if not file.is_file():
        raise Denied(Refused(Refusal.BAD_MESSAGE, detail="There is no such file."), 404)
    headers = {**SAFE, "Cache-Control": "no-cache"}
    return Response(file.read_bytes(), media_type=KINDS["." + name.rsplit(".", 1)[1]], headers=headers)


def prefers_page(request: Request[Any, Any, Any]) -> bool:
    """Whether it is a browser that asks: one that would rather have HTML than JSON."""
    return request.accept.best_match([PROBLEM, MediaType.JSON, MediaType.HTML]) == MediaType.HTML


def lost(path: str) -> Response[str]:
    """A page for a path that is none, with the way to a stream: the one that was meant, where it can be told."""
    meant = path.strip("/")
    text = (WEB / "lost.html").read_text(encoding="utf-8").replace("{stream}", meant if is_id(meant) else "demo")
    headers = {**SAFE, "Cache-Control": "no-store", "Vary": "Accept"}
    return Response(text, status_code=404, media_type=MediaType.HTML, headers=headers)


SICK = {**documented(), 503: ResponseSpec(Health, generate_examples=False, description="It does not.")}


@get("/livez", summary="The loop beats", responses=SICK)
async def livez(request: Asked) -> Response[Health]:
    """200 while it does, else 503."""
    ok = request.app.state.health.alive()
    return Response(Health(ok), status_code=200 if ok else 503)


@get("/readyz", summary="The log takes appends", responses=SICK)
async def readyz(request: Asked) -> Response[Health]:
    """200 while it does, else 503."""
    ok = await request.app.state.health.ready()
    return Response(Health(ok), status_code=200 if ok else 503)


ROUTES = [page, web_file, livez, readyz]
