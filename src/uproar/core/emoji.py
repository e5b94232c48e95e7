"""What one emoji is: Unicode Technical Standard 51's sequences over the Extended_Pictographic property.

Python's own Unicode tables lack that property. The ranges are those of Unicode's emoji-data.txt, with the code points
that it reserves for later emoji, so that new emoji are known before Python knows them.
"""

from bisect import bisect_right

_SPANS = """
A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 2388 23CF 23E9-23F3 23F8-23FA 24C2 25AA-25AB 25B6 25C0
25FB-25FE 2600-2605 2607-2612 2614-2685 2690-2705 2708-2712 2714 2716 271D 2721 2728 2733-2734 2744 2747 274C 274E
2753-2755 2757 2763-2767 2795-2797 27A1 27B0 27BF 2934-2935 2B05-2B07 2B1B-2B1C 2B50 2B55 3030 303D 3297 3299
1F000-1F0FF 1F10D-1F10F 1F12F 1F16C-1F171 1F17E-1F17F 1F18E 1F191-1F19A 1F1AD-1F1E5 1F201-1F20F 1F21A 1F22F
1F232-1F23A 1F23C-1F23F 1F249-1F3FA 1F400-1F53D 1F546-1F64F 1F680-1F6FF 1F774-1F77F 1F7D5-1F7FF 1F80C-1F80F
1F848-1F84F 1F85A-1F85F 1F888-1F88F 1F8AE-1F8FF 1F90C-1F93A 1F93C-1F945 1F947-1FAFF 1FC00-1FFFD
"""
_BOUNDS = [(int(span.split("-")[0], 16), int(span.split("-")[-1], 16)) for span in _SPANS.split()]
_STARTS = [start for start, _ in _BOUNDS]

JOINER = "\u200d"
EMOJI_STYLE = "\ufe0f"
_KEYCAP = "\u20e3"
_KEYCAP_BASES = frozenset("0123456789#*")
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_FLAG_LETTERS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
_TAGS = frozenset(map(chr, range(0xE0020, 0xE0080)))

CONTINUES = _SKIN_TONES | _TAGS | {JOINER, EMOJI_STYLE, _KEYCAP}
"""Characters that belong to the emoji before them."""


def emoji_end(text: str, start: int) -> int:
    """Where the emoji that begins at `start` ends; `start` itself when none does."""
    first = text[start]
    if first in _FLAG_LETTERS:
        return start + 2 if text[start + 1 : start + 2] in _FLAG_LETTERS else start
    if first in _KEYCAP_BASES:
        end = _skip(text, start + 1, EMOJI_STYLE)
        return end + 1 if text[end : end + 1] == _KEYCAP else start
    return _pictograph_end(text, start)


def _pictograph_end(text: str, start: int) -> int:
    end = start
    while end < len(text) and _is_pictograph(text[end]):
        end = _dressed_end(text, end + 1)
        if text[end : end + 1] != JOINER:
            return end
        end += 1
    return start


def _dressed_end(text: str, end: int) -> int:
    end = _skip(text, end, EMOJI_STYLE)
    if text[end : end + 1] in _SKIN_TONES:
        end += 1
    while text[end : end + 1] in _TAGS:
        end += 1
    return end


def _skip(text: str, at: int, character: str) -> int:
    return at + 1 if text[at : at + 1] == character else at


def _is_pictograph(character: str) -> bool:
    code = ord(character)
    at = bisect_right(_STARTS, code) - 1
    return character in _SKIN_TONES or (at >= 0 and code <= _BOUNDS[at][1])
