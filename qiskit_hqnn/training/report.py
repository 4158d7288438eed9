"""report.html: one self-contained page about a run."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from qiskit_hqnn._files import write_text
from qiskit_hqnn._text import plain
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.metrics import mitigation_words
from qiskit_hqnn.training.run_folder import RunFolder


def write_report(folder: RunFolder, job: JobFile) -> Path:
    """Write the page from what is in the folder; returns its path."""
    metrics = folder.read_metrics()
    environment = folder.environment()
    matrices = [
        (f"Confusion matrix, {name.replace('-', ' ')}", folder.confusion_file(name)) for name in metrics.test
    ]
    curves = folder.path / "curves.png"  # pictures may have been deleted to save space; the numbers remain
    page = render(
        "report.html.j2",
        job=job,
        metrics=metrics,
        mitigation_words=mitigation_words,
        history=folder.history(),
        curves=_inline(curves) if curves.exists() else None,
        matrices=[(name, _inline(path)) for name, path in matrices if path.exists()],
        environment=environment,
        settings=folder.job_file.read_text(encoding="utf-8"),
    )
    write_text(folder.report, page)
    return folder.report


def render(template: str, **values: Any) -> str:
    """A page from a template of this package; everything is escaped, and control characters are written out."""
    loader = PackageLoader("qiskit_hqnn.training", "templates")
    engine = Environment(
        loader=loader,
        autoescape=select_autoescape(["html", "j2"]),
        trim_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )
    return engine.get_template(template).render(**values)


def _inline(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
