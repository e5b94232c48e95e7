"""What the memory of a part holds: every text and bytes in it, wherever it hides."""

from collections.abc import Iterable, Iterator
from typing import Any


def holds(thing: Any, texts: Iterable[str]) -> set[str]:
    """Which of the texts can be read in it."""
    found = set(words(thing))
    said = {word for word in found if isinstance(word, str)}
    encoded = b"\n".join(word for word in found if isinstance(word, bytes))
    return {text for text in texts if text in said or text.encode() in encoded}


def words(thing: Any) -> Iterator[str | bytes]:
    """All that can be read in an object of uproar, its containers and its parts; not in what it was merely handed."""
    seen: dict[int, Any] = {}
    left = [thing]
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen[id(one)] = one  # kept, so that no other gets its number
        if isinstance(one, str | bytes):
            yield one
        else:
            left += _inside(one)


def _inside(one: Any) -> list[Any]:
    if isinstance(one, dict):
        return [*one.keys(), *one.values(), *_fields(one)]
    if hasattr(one, "__iter__") and not callable(one):
        return [*one, *_fields(one)]
    return _fields(one)


def _fields(one: Any) -> list[Any]:
    if not type(one).__module__.startswith("uproar"):
        return []
    slots = [*getattr(one, "__struct_fields__", ())]
    slots += [name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())]
    return [getattr(one, name) for name in slots if hasattr(one, name)] + list(getattr(one, "__dict__", {}).values())
