"""Tags by which a service's jobs are found again: of one store's part, and of the request that any store may make."""

from __future__ import annotations

import re

_FORM = re.compile(r"hqnn-([0-9a-f]{8})-(.+)", re.ASCII)


def tag_of(mark: str, job: str, position: str) -> str:
    """The tag of a part: with its store's own mark, since another store on the account may ask for the same."""
    return f"hqnn-{mark}-{job[:16]}-{position}"


def mark_of(tag: str) -> str | None:
    """The mark of the store that a tag belongs to; None if it is none of ours."""
    found = _FORM.fullmatch(tag)
    return found.group(1) if found else None


def request_of(tag: str) -> str | None:
    """The tag that all stores have in common which ask the same; None if a tag is none of ours.

    Its hash is that of the whole request: circuits, values, seed, options, device, calibration.
    """
    found = _FORM.fullmatch(tag)
    return f"hqnn-request-{found.group(2)}" if found else None


def under_mark(tag: str, mark: str) -> str:
    """The tag that the store with another mark has for the same."""
    return tag.replace(f"-{mark_of(tag)}-", f"-{mark}-", 1)
