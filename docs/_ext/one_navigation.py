"""The sidebar of the pages of source code, made once: they are not in it, and Sphinx would make it anew for each."""

from collections.abc import Callable
from typing import Any

from sphinx.application import Sphinx

_made: dict[tuple[Any, ...], str] = {}


def _share(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    if not page.startswith("_modules/"):
        return
    toctree: Callable[..., str] = context["toctree"]

    def shared(**options: Any) -> str:
        # Links are relative: pages of one depth have the same.
        key = (page.count("/"), *sorted(options.items()))
        if key not in _made:
            _made[key] = toctree(**options)
        return _made[key]

    context["toctree"] = shared


def setup(app: Sphinx) -> dict[str, bool]:
    """Before the theme (priority 500) asks for the tree."""
    app.connect("html-page-context", _share, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
