"""The ASGI application: every resource, and every fault as the catalogue words it."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from uproar.api import comments, live, pages, streams, users
from uproar.api.asked import Asked, allow, as_told, heads
from uproar.api.document import Page, exact
from uproar.api.given import Services
from uproar.api.pace import Pace
from uproar.api.problems import Denied, Problem, about, problem
from uproar.auth import Identity, Keys
from uproar.core.clock import Clock
from uproar.core.errors import Unavailable
from uproar.core.outage import refused
from uproar.core.rate import Rate
from uproar.core.refusal import Refusal, Refused
from uproar.observe.counters import Metrics
from uproar.read.service import ReadService
from uproar.settings import Settings
from uproar.timeline import Timeline
from uproar.write.service import WriteService

logger = structlog.get_logger(__name__)

React = Callable[[Identity | None, str, dict[str, int]], Awaitable[Refused | None]]
ROUTES = [*comments.ROUTES, *streams.ROUTES, *users.ROUTES, *live.ROUTES, *pages.ROUTES]
OPENAPI = OpenAPIConfig(
    title="uproar",
    version="1",
    description="Live comments and reactions on any live stream.",
    path="/openapi.json",
    render_plugins=[Page(path="/")],
    use_handler_docstrings=True,
    operation_id_creator=lambda handler, *_: handler.handler_name,
    security=[{}, {"token": []}],
    components=Components(
        security_schemes={"token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
    ),
)


class Health(Protocol):
    """How this process is."""

    def alive(self) -> bool:
        """The loop beats."""

    async def ready(self) -> bool:
        """The log takes appends."""


def make_app(
    write: WriteService,
    read: ReadService,
    react: React,
    keys: Keys,
    settings: Settings,
    clock: Clock,
    metrics: Metrics,
    timeline: Timeline,
    health: Health,
) -> Litestar:
    """The application over its services; `react` counts reactions, `health` tells how this process is."""
    state = State(
        {
            "services": Services(write, read, timeline, keys, settings, clock, Pace(clock, metrics)),
            "react": react,
            "health": health,
            "followers": set(),
            "guests": Rate(settings.guests_per_min),
        }
    )
    app = Litestar(
        route_handlers=ROUTES,
        state=state,
        openapi_config=OPENAPI,
        request_class=Asked,
        exception_handlers={
            Denied: _denied,
            Unavailable: _unavailable,
            HTTPException: _refused_by_litestar,
            Exception: _fault,
        },
        request_max_body_size=settings.body_bytes,
        before_request=as_told,
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = heads(app.asgi_handler)
    return app


def openapi() -> dict[str, Any]:
    """The page at `/openapi.json`, of no particular server."""
    return exact(Litestar(ROUTES, openapi_config=OPENAPI, request_class=Asked).openapi_schema.to_schema())


def _denied(_: Request[Any, Any, Any], fault: Denied) -> Response[Problem]:
    return problem(fault.why, fault.status)


def _unavailable(_: Request[Any, Any, Any], fault: Unavailable) -> Response[Problem]:
    return problem(refused(fault))


def _refused_by_litestar(request: Request[Any, Any, Any], fault: HTTPException) -> Response[Problem] | Response[str]:
    """Unknown paths, methods, and whatever a schema does not allow."""
    status = fault.status_code
    if status == 404 and pages.prefers_page(request):
        return pages.lost(request.url.path)
    if status >= 500:
        logger.error("request_failed", exc_info=fault)
    refusal = Refusal.BAD_MESSAGE if status < 500 else Refusal.UNAVAILABLE
    extra = getattr(fault, "extra", None)
    detail = about(extra[0].get("message", "")) if isinstance(extra, list) and extra else ""
    answer = problem(Refused(refusal, detail=detail or fault.detail[:200]), status)
    answer.headers.update(fault.headers or {})
    if "allow" in answer.headers:
        answer.headers["allow"] = allow(answer.headers["allow"].split(", "))
    return answer


def _fault(_: Request[Any, Any, Any], fault: Exception) -> Response[Problem]:
    logger.error("request_failed", exc_info=fault)
    return problem(Refused(Refusal.UNAVAILABLE, 1000), 500)
