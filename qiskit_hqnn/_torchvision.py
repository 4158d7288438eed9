"""A check that torch and torchvision are builds for each other, before torchvision fails with its own error."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path

from qiskit_hqnn.errors import InstallationError


@cache
def check_torchvision() -> None:
    """Check that torchvision can be imported, if its version or its build does not match torch's.

    The usual case loads nothing: torchvision is tried only if both labels disagree, since builds of other
    publishers may have different labels and still fit.

    Raises:
        InstallationError: if torch or torchvision is missing, or torchvision was built for another torch.
    """
    torch, torchvision = build_of("torch"), build_of("torchvision")
    if _label(torch) == _label(torchvision) and _is_wanted(torch):
        return
    try:
        import_module("torchvision")
    except Exception as error:
        raise InstallationError(
            f"torch {torch} and torchvision {torchvision} are not builds for each other: install both from one source, "
            "in one command."
        ) from error


def build_of(package: str) -> str:
    """A package's version with the label of its build, such as "2.15.0+cpu"; nothing is imported.

    Raises:
        InstallationError: if it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InstallationError(f"Package {package} is not installed: pip install {package}.")
    file = Path(spec.submodule_search_locations[0]) / "version.py"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    found = re.search(r"""^__version__\b[^=]*=\s*['"]([^'"]+)""", text, flags=re.MULTILINE)
    return found[1] if found else ""


def _is_wanted(torch: str) -> bool:
    """Whether a torch is the one that torchvision's package requires ("torch (>=2.14.0)", "torch==2.9.1")."""
    try:
        wanted = requires("torchvision") or []
    except PackageNotFoundError:
        return True
    for requirement in wanted:
        if found := re.match(r"torch\s*\(?\s*(==|>=)\s*([\d.]+)", requirement):
            given, asked = _numbers(torch), _numbers(found[2])
            return given == asked if found[1] == "==" else given >= asked
    return True


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release.partition("+")[0])[:3])


def _label(build: str) -> str:
    return build.partition("+")[2]
