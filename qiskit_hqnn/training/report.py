"""report.html: one self-contained page about a run."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from qiskit_hqnn._files import write_text
from qiskit_hqnn._page import page
from qiskit_hqnn._text import plain
from qiskit_hqnn.jobs import in_words
from qiskit_hqnn.training.charts import confusion_svg, mistakes
from qiskit_hqnn.training.circuit_picture import read_circuit
from qiskit_hqnn.training.examples import Examples
from qiskit_hqnn.training.export import make_card, write_result_card
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.metrics import Metrics, Result, mitigation_words
from qiskit_hqnn.training.pictures import best_epoch, curves_svg, score_of_history
from qiskit_hqnn.training.run_folder import RunFolder
from qiskit_hqnn.training.scatter import scatter_svg

_CLASSES = 12
"""Most classes listed with their images; with more, the most frequent mistakes are shown expanded."""


def write_report(folder: RunFolder, job: JobFile) -> Path:
    """Write the page and the card of the results from the folder's files; returns the page's path."""
    metrics, history = folder.read_metrics(), folder.history()
    names = _class_names(folder, metrics)
    body = render(
        "report.html.j2",
        job=job,
        metrics=metrics,
        mitigation_words=mitigation_words,
        duration=in_words,
        history=history,
        best=best_epoch(history),
        sizes=_sizes(metrics),
        classes=_classes(metrics),
        circuit=_circuit(folder),
        curves=inline(curves_svg(history), "svg+xml") if history else None,
        matrices=[_matrix(name, result, names) for name, result in metrics.test.items() if result.confusion],
        scatters=[
            drawn for name, result in metrics.test.items() for drawn in _scatters(folder, name, result)
        ],
        score=next((result.score for result in metrics.test.values()), score_of_history(history)),
        figures=list(next((result.figures for result in metrics.test.values()), [])),
        examples=_examples(folder),
        names=names,
        environment=folder.environment(),
        settings=folder.job_file.read_text(encoding="utf-8"),
    )
    write_text(folder.report, page(plain(job.title or job.model.name), body))
    write_result_card(make_card(job, metrics, folder.environment(), folder.description()), folder.path)
    return folder.report


def render(template: str, **values: object) -> str:
    """A page's body from a template of this package; everything is escaped, and control characters are written out."""
    return _engine().get_template(template).render(**values)


@cache
def _engine() -> Environment:
    """One for all pages, since it keeps the templates that it has compiled."""
    return Environment(
        loader=PackageLoader("qiskit_hqnn.training", "templates"),
        autoescape=select_autoescape(["html", "j2"]),
        trim_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )


def inline(content: bytes, kind: str = "png") -> Markup:
    """A picture as the address of an image; as markup, since letters that look like a key are no secret there."""
    return Markup(f"data:image/{kind};base64," + base64.b64encode(content).decode())


def _class_names(folder: RunFolder, metrics: Metrics) -> Sequence[str]:
    description = folder.description()
    if description is not None:
        return description.class_names
    most = max((len(result.confusion) for result in metrics.test.values()), default=0)
    return [str(label) for label in range(most)]  # a folder from before 0.2 has no names


def _title(result: Result) -> str:
    title = f"Test set on {result.where}" + (f", {result.conditions}" if result.conditions else "")
    return title + (f", {result.subset} {result.images:,} images" if result.subset else "")


def _scatters(folder: RunFolder, name: str, result: Result) -> Iterator[dict[str, object]]:
    """True against answered numbers of a result, a picture for each number."""
    if not result.targets:
        return
    points = folder.answers(name)
    for target in result.targets:
        pairs = [(row[f"true {target}"], row[f"answered {target}"]) for row in points]
        if pairs:
            yield {"title": f"{_title(result)}: {target}", "svg": scatter_svg(pairs, target)}


def _matrix(name: str, result: Result, names: Sequence[str]) -> dict[str, object]:
    return {
        "title": _title(result),
        "svg": confusion_svg(result.confusion, names),
        "mistakes": mistakes(result.confusion, names),
        "large": len(names) > _CLASSES,
    }


def _circuit(folder: RunFolder) -> dict[str, str] | None:
    """Its "words", and the drawing: a "picture" with its "style", or "text"; None where there is none."""
    content = read_circuit(folder.path)
    if content is None or "text" in content:
        return content
    width = re.search(r'<svg[^>]*\swidth="([\d.]+)pt"', content["svg"])
    # At its own size letters are legible; a narrow page scrolls.
    style = f"width:{float(width[1]):.0f}pt" if width else ""
    return {"words": content["words"], "picture": inline(content["svg"].encode(), "svg+xml"), "style": style}


def _examples(folder: RunFolder) -> Examples | None:
    file = folder.examples_file
    if not file.exists():
        return None
    try:
        return Examples.model_validate_json(file.read_text(encoding="utf-8"))
    except ValueError:
        return None  # a damaged file of pictures must not hide the numbers


def _sizes(metrics: Metrics) -> str:
    data = metrics.data
    parts = [f"{data[part]:,} {part}" for part in ("train", "validation", "test") if data.get(part)]
    shape = "×".join(map(str, data.get("shape", [])))
    return ", ".join(parts) + (f", of {shape}" if shape else "")


def _classes(metrics: Metrics) -> str:
    """How many images of each class there are, over all parts."""
    parts = metrics.data.get("classes", {}).values()
    totals: dict[str, int] = {}
    for part in parts:
        for name, count in part.items():
            totals[name] = totals.get(name, 0) + count
    shown = [f"{name} ({count:,})" for name, count in list(totals.items())[:_CLASSES]]
    more = f" and {len(totals) - _CLASSES} more" if len(totals) > _CLASSES else ""
    return ", ".join(shown) + more
