"""report.html: one self-contained page about a run."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from qiskit_hqnn.training.files import write_text
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.run_folder import RunFolder


def write_report(folder: RunFolder, job: JobFile) -> Path:
    """Write the page from what is in the folder; returns its path."""
    metrics = folder.metrics()
    environment = json.loads((folder.path / "environment.json").read_text(encoding="utf-8"))
    pictures = [
        (path.stem.replace("-", " "), _inline(path)) for path in sorted(folder.path.glob("*.png"), key=_order)
    ]
    page = render(
        "report.html.j2",
        job=job,
        metrics=metrics,
        history=folder.history(),
        pictures=pictures,
        environment=environment,
        settings=folder.job_file.read_text(encoding="utf-8"),
    )
    write_text(folder.report, page)
    return folder.report


def render(template: str, **values: Any) -> str:
    """A page from a template of this package; everything is escaped."""
    loader = PackageLoader("qiskit_hqnn.training", "templates")
    engine = Environment(loader=loader, autoescape=select_autoescape(["html", "j2"]), trim_blocks=True)
    return engine.get_template(template).render(**values)


def _inline(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _order(path: Path) -> tuple[bool, str]:
    return path.stem != "curves", path.stem
