"""Text from outside (names, titles, a service's sentences), safe to show: nothing in it controls a terminal."""

from __future__ import annotations

import re

from qiskit_hqnn._secrets import redacted

# Control characters, lone surrogates, marks that reverse the direction of what follows, and separators of lines.
_ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_LAYOUT = re.compile("[\t\n]")


def plain(text: object) -> str:
    """A text with control characters escaped (ESC as \\x1b), without secrets; line breaks and tabs are kept."""
    return _ACTING.sub(_written, redacted(str(text)))


def one_line(text: object) -> str:
    """As `plain`, with line breaks and tabs escaped as well: a name cannot add lines to a table."""
    return _LAYOUT.sub(_written, plain(text))


def drawn(text: object) -> str:
    """As `one_line`, for a picture: matplotlib would read text between two dollar signs as a formula."""
    return one_line(text).replace("$", r"\$")


def _written(found: re.Match[str]) -> str:
    character = found.group()
    if character in "\n\t\r":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}[character]
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
