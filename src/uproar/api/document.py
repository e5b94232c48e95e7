"""The OpenAPI page: Litestar's, with what it words too loosely or cannot say put right."""

from collections.abc import Iterator
from typing import Any, Final

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin
from msgspec.json import schema_components

from uproar.api.comments import NewComment, Why
from uproar.api.live import Batches
from uproar.api.pages import Health
from uproar.api.problems import Problem
from uproar.api.streams import Ban, Like, Pin, Reactions
from uproar.api.users import Erasing, Guest, NewGuest
from uproar.core.stream import Stream
from uproar.read.service import Page as CommentsPage
from uproar.read.service import Replay, StreamFacts
from uproar.write.change import StreamChange

TAKEN: Final = (NewComment, Why, StreamChange, Pin, Ban, Reactions, Like, NewGuest)
GIVEN: Final = (Stream, CommentsPage, Replay, StreamFacts, Batches, Guest, Erasing, Health, Problem)

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "401": {"WWW-Authenticate": {"required": True, "schema": {"const": "Bearer"}}},
    "429": {"Retry-After": {"schema": {"type": "integer", "minimum": 0}}},
    "503": {"Retry-After": {"schema": {"type": "integer", "minimum": 0}}},
}

OF_A_COMMENT: Final = {"stream": "$request.path.stream", "comment": "$response.body#/id"}
OF_A_STREAM: Final = {"stream": "$response.body#/id"}
COMMENT_LINKS: Final = {
    name: {"operationId": name, "parameters": OF_A_COMMENT}
    for name in ("one_comment", "replies", "remove", "restore", "report", "pin", "unpin")
}
STREAM_LINKS: Final = {
    name: {"operationId": name, "parameters": OF_A_STREAM}
    for name in ("facts", "post_comment", "page_comments", "react", "replay")
}
LINKS: Final = {
    ("post_comment", "201"): COMMENT_LINKS,
    ("put_stream", "200"): STREAM_LINKS,
    ("put_stream", "201"): STREAM_LINKS,
}


class Page(JsonRenderPlugin):
    """`/openapi.json`."""

    _bytes = b""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page as JSON, made once."""
        self._bytes = self._bytes or self.render_json(request, exact(openapi_schema))
        return self._bytes


def exact(page: dict[str, Any]) -> dict[str, Any]:
    """The page with bodies as msgspec reads and writes them, and with headers and links of answers."""
    _, schemas = schema_components((*TAKEN, *GIVEN), ref_template="#/components/schemas/{name}")
    paths = {
        path: {method: _operation(operation) for method, operation in operations.items()}
        for path, operations in page["paths"].items()
    }
    return {**page, "paths": paths, "components": {**page["components"], "schemas": schemas}}


def operations(page: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation, in the page's order."""
    for path, methods in page["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    better = dict(operation)
    if parameters := operation.get("parameters"):
        better["parameters"] = [{**one, "schema": _never_null(one["schema"])} for one in parameters]
    if body := operation.get("requestBody"):
        (media,) = body["content"].values()
        better["requestBody"] = {**body, "required": {"type": "null"} not in media["schema"].get("oneOf", ())}
    better["responses"] = {
        status: _answer(operation["operationId"], status, answer) for status, answer in operation["responses"].items()
    }
    return better


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is absent, never null."""
    if "oneOf" not in schema:
        return schema
    (only,) = (one for one in schema["oneOf"] if one != {"type": "null"})
    return {**{name: value for name, value in schema.items() if name != "oneOf"}, **only}


def _answer(operation: str, status: str, answer: dict[str, Any]) -> dict[str, Any]:
    given = {name: {"schema": {"type": "string"}, **header} for name, header in answer.get("headers", {}).items()}
    headers = {**given, **HEADERS.get(status, {})}
    links = LINKS.get((operation, status))
    return {**answer, **({"headers": headers} if headers else {}), **({"links": links} if links else {})}
