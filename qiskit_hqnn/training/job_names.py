"""The job files that come with the toolkit, by name."""

from __future__ import annotations

from pathlib import Path

from qiskit_hqnn._checks import suggestion
from qiskit_hqnn.errors import JobFileError

_PACKAGE = Path(__file__).parents[1]


def shipped_folder() -> Path:
    """`jobs/` of a checkout, or the copy inside an installed package."""
    inside, beside = _PACKAGE / "_jobfiles", _PACKAGE.parent / "jobs"
    return inside if inside.is_dir() else beside


def shipped_jobs() -> dict[str, Path]:
    """Name to file, sorted by name."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.toml"))}


def find_job(name: str) -> Path:
    """A path unchanged, or the shipped job of that name.

    Raises:
        JobFileError: if it is neither.
    """
    path = Path(name)
    if path.suffix == ".toml" or path.exists():
        return path
    jobs = shipped_jobs()
    if name not in jobs:
        raise JobFileError(
            f"A job must be a TOML file or one of {', '.join(jobs)}, but is {name!r}{suggestion(name, jobs)}"
        )
    return jobs[name]
