"""The OpenAPI page, with what Litestar words too loosely put right."""

from typing import Any

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin


class Page(JsonRenderPlugin):
    """`/openapi.json`."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page as JSON."""
        return self.render_json(request, exact(openapi_schema))


def exact(schema: Any) -> Any:
    """The schema with `tuple[X, ...]` as a list of X: Litestar reads the ellipsis as "or anything"."""
    if isinstance(schema, list):
        return [exact(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    choices = schema.get("oneOf")
    if isinstance(choices, list) and {} in choices:
        rest = [exact(one) for one in choices if one != {}]
        others = {name: exact(one) for name, one in schema.items() if name != "oneOf"}
        return {**others, **(rest[0] if len(rest) == 1 else {"oneOf": rest})}
    return {name: exact(one) for name, one in schema.items()}
