"""The banned-word lists that come with uproar, one file a language, read when first asked for."""

from functools import cache
from importlib.resources import files

_SUFFIX = ".txt"


@cache
def available_packs() -> tuple[str, ...]:
    """The names of all packs, as in `en`, in alphabetical order."""
    names = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


@cache
def pack_terms(pack: str) -> tuple[str, ...]:
    """The terms of one pack as its list has them; ValueError when there is no such pack."""
    if pack not in available_packs():
        raise ValueError(f"there is no language pack {pack!r}")
    return tuple(files(__name__).joinpath(pack + _SUFFIX).read_text(encoding="utf-8").splitlines())
