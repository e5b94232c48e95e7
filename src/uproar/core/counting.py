"""An object some of whose methods are counted."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar, cast

_T = TypeVar("_T")


class _Counted:
    def __init__(self, inner: object, names: Collection[str], count: Callable[[], object]) -> None:
        self._inner = inner
        self._names = names
        self._count = count

    def __getattr__(self, name: str) -> Any:
        """The inner one's own, found once for each name."""
        method = getattr(self._inner, name)
        found = self._counting(method) if name in self._names else method
        setattr(self, name, found)
        return found

    def _counting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            self._count()
            return method(*args, **named)

        return call


def counted(inner: _T, names: Collection[str], count: Callable[[], object]) -> _T:
    """Does all that `inner` does; `count` is called at each call of a method of these names."""
    return cast(_T, _Counted(inner, names, count))
