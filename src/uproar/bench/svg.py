"""A small writer of SVG: shapes and words on a sheet that reads on dark and on light ground."""

from collections.abc import Iterable
from html import escape
from typing import Final

WIDTH: Final = 760
MARGIN: Final = 24
COLOURS: Final = 8
"""Classes `c0` to `c7`; `c0` is grey."""

STYLE: Final = """
svg{--ground:#fff;--ink:#1c2128;--dim:#6e7781;--rule:#d8dee4;
--c0:#8c959f;--c1:#0969da;--c2:#bf3989;--c3:#1a7f37;--c4:#9a6700;--c5:#8250df;--c6:#cf222e;--c7:#1b7c83}
@media(prefers-color-scheme:dark){svg{--ground:#0d1117;--ink:#e6edf3;--dim:#8d96a0;--rule:#30363d;
--c0:#8b949e;--c1:#58a6ff;--c2:#f778ba;--c3:#56d364;--c4:#e3b341;--c5:#bc8cff;--c6:#ff7b72;--c7:#39c5cf}}
text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--ink)}
.title{font-size:15px;font-weight:600}.dim{fill:var(--dim);font-size:12px}.ground{fill:var(--ground)}
.rule{stroke:var(--rule)}.mark{stroke:var(--dim);stroke-dasharray:4 3}.line{fill:none;stroke-width:2.2}
""" + "".join(
    f".c{number}{{fill:var(--c{number});stroke:var(--c{number})}}text.c{number}{{stroke:none}}"
    for number in range(COLOURS)
)


def element(name: str, text: str = "", **attributes: object) -> str:
    """`element("line", x1=0, class_="rule")`: an underscore at the end is dropped, one inside is a hyphen."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{escape(text)}</{name}>" if text else f"<{name}{given}/>"


def words(x: float, y: float, text: str, class_: str = "", anchor: str = "start") -> str:
    """A line of text; `anchor` is where it stands from x: start, middle, end."""
    return element("text", text, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """From one point to another."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


class Drawing:
    """Shapes of a certain height; `title` is what a screen reader says too."""

    def __init__(self, title: str, caption: str, height: float) -> None:
        self.title = title
        self.height = height
        self._shapes = [words(MARGIN, 30, title, "title"), words(MARGIN, 50, caption, "dim")]

    def add(self, *shapes: str) -> None:
        """On top of the others."""
        self._shapes += shapes

    def at(self, y: float) -> str:
        """All of it, moved down."""
        return f'<g transform="translate(0 {_value(y)})">{"".join(self._shapes)}</g>'


def sheet(drawings: Iterable[Drawing]) -> str:
    """One below the other; a file of its own."""
    placed, y = [], 0.0
    for drawing in drawings:
        placed.append(drawing.at(y))
        y += drawing.height
    ground = element("rect", width=WIDTH, height=y, rx=8, class_="ground")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_value(y)}" width="{WIDTH}" role="img">'
        f"<style>{STYLE}</style>{ground}{''.join(placed)}</svg>\n"
    )


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))
