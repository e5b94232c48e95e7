"""The REST part of docs/protocol.md, from the OpenAPI page of the application itself."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from uproar.api.document import operations
from uproar.api.problems import EVERYWHERE, PROBLEM, WORDS
from uproar.api.server import openapi
from uproar.cli.tables import table

KINDS: Final = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false", "null": "null"}
Schema = Mapping[str, Any]


def rest(names: Mapping[str, str]) -> str:
    """The section of REST; `names` are the schemas that the protocol calls otherwise, and describes elsewhere."""
    page = openapi()
    calls = list(operations(page))
    schemas = page["components"]["schemas"].items()
    bodies = "".join(_body(name, schema, names) for name, schema in schemas if name not in names)
    return f"""## REST

`Authorization: Bearer TOKEN` says who asks. Whatever is not done is answered with `{PROBLEM}` (RFC 9457), a
`Problem` with a code of the refusals below. A path has one spelling, a parameter is given once, and what is not known,
in the query or in a body, is refused (400). HEAD is answered wherever GET is. The server describes the same at
`/openapi.json`, in OpenAPI 3.1.

### Calls

Besides what stands here every call can be answered with {_list(f"{status}" for status in EVERYWHERE)}.

{table(("call", "who", "what it does", "takes", "answers"), (_call(*call, names) for call in calls))}
### Parameters

{table(("parameter", "in", "kind", "default", "what it is"), _parameters(calls, names))}
### Statuses

{table(("status", "what it means"), ((str(status), words) for status, words in WORDS.items()))}{bodies}"""


def kind(schema: Schema, names: Mapping[str, str]) -> str:
    """A schema in words: `{"type": "integer", "minimum": 1, "maximum": 9}` -> `integer, 1 to 9`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"`{names.get(name, name)}`"
    if "anyOf" in schema:
        return " or ".join(kind(one, names) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    if schema["type"] == "array":
        most = f"up to {schema['maxItems']} " if "maxItems" in schema else ""
        return f"list of {most}{kind(schema['items'], names)}"
    if schema["type"] == "object":
        return f"map of text to {kind(schema['additionalProperties'], names)}"
    return KINDS[schema["type"]] + _bounds(schema)


def _bounds(schema: Schema) -> str:
    if "pattern" in schema:
        return f" like `{schema['pattern']}`"
    if "maxLength" in schema:
        return f" of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return f", {schema['minimum']:.0f} to {schema['maximum']:.0f}" if "maximum" in schema else ""


def _call(method: str, path: str, operation: Schema, names: Mapping[str, str]) -> Iterable[str]:
    who = "signed in" if operation.get("security") == [{"token": []}] else "anyone"
    what = f"{operation['summary']}. {operation.get('description', '')}".strip()
    return f"`{method} {path}`", who, what, _list(_takes(operation, names)), "; ".join(_answers(operation, names))


def _takes(operation: Schema, names: Mapping[str, str]) -> Iterator[str]:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "path":
            yield f"`{parameter['name']}`"
    if body := operation.get("requestBody"):
        (media,) = body["content"].values()
        one, *null = media["schema"].get("oneOf", [media["schema"]])
        yield f"body {kind(one, names)}{', or none' if null else ''}"


def _answers(operation: Schema, names: Mapping[str, str]) -> Iterator[str]:
    plain = []
    for status, answer in sorted(operation["responses"].items()):
        media, schema = next(((kind, one["schema"]) for kind, one in answer.get("content", {}).items()), ("", {}))
        if media == PROBLEM:
            plain += [status] * (int(status) not in EVERYWHERE)
        elif schema:
            yield f"{status} {kind(schema, names)}"
        else:
            yield f"{status} `{media}`" if media else status
    yield from plain


def _parameters(calls: Iterable[tuple[str, str, Schema]], names: Mapping[str, str]) -> Iterable[Iterable[str]]:
    """One line for those that are alike, in the order in which they are met."""
    every = (one for _, _, operation in calls for one in operation.get("parameters", ()))
    return dict.fromkeys(_parameter(one, names) for one in every)


def _parameter(one: Schema, names: Mapping[str, str]) -> tuple[str, ...]:
    default = "must be given" if one["required"] else str(one["schema"].get("default", ""))
    return f"`{one['name']}`", one["in"], kind(one["schema"], names), default, one["description"]


def _body(name: str, schema: Schema, names: Mapping[str, str]) -> str:
    rows = [
        (f"`{field}`", kind(of, names), "" if field in schema["required"] else "yes")
        for field, of in schema["properties"].items()
    ]
    return f"\n### `{name}`\n\n{schema['description']}\n\n{table(('field', 'kind', 'may be absent'), rows)}"


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)
