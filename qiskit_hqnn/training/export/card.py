"""The card of a run, of several runs or of an exported network: what it is, its training data, and its results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from qiskit_hqnn.errors import RunFolderError
from qiskit_hqnn.training.description import Description
from qiskit_hqnn.training.export.several_runs import SeveralRuns
from qiskit_hqnn.training.job_file import JobFile
from qiskit_hqnn.training.metrics import Metrics, Result

FORMAT = "card/1"


class Card(BaseModel):
    """The content of card.json in a run folder, and of the metadata of an exported file: JSON that anybody can read.

    Attributes:
        format: of the card.
        title, reference: of the job.
        network: the model with all of its options, class names, shape of a sample, preprocessing; None on the card of
            results whose run folders are gone.
        job: the resolved job file; of paths only the last part.
        data: how many images of each part and class, and their fingerprint.
        parameters: trainable ones, {"classical": …, "quantum": …}.
        training: where, how long, and at which cost.
        results: test results by name, as in metrics.json.
        versions: of the toolkit, of Python and of the packages that it was trained with.
        runs: of several runs (seeds, draws, controls) their means and differences; `data` and `results` are then those
            of the first one.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal["card/1"] = "card/1"
    title: str = ""
    reference: str = ""
    network: Description | None = None
    job: dict[str, Any]
    data: dict[str, Any] = {}
    parameters: dict[str, int] = {}
    training: dict[str, object] = {}
    results: dict[str, Result] = {}
    versions: dict[str, object] = {}
    runs: SeveralRuns | None = None

    @property
    def name(self) -> str:
        """The title, or the model's name."""
        return self.title or str(self.job.get("model", {}).get("name", "network"))

    @property
    def described(self) -> Description:
        """The network.

        Raises:
            RunFolderError: if this is a card of results alone.
        """
        if self.network is None:
            raise RunFolderError("This card is of results alone and does not describe their network.")
        return self.network

    def as_json(self, indent: int | None = None) -> str:
        """The card as JSON, without empty entries."""
        content = self.model_dump(mode="json", exclude={"results"})
        content["results"] = {name: result.as_json() for name, result in self.results.items()}
        if self.runs is None:
            del content["runs"]
        return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=indent)

    def read_job(self) -> JobFile:
        """The job of the network's training; gives shots, mitigation and seed."""
        return JobFile.model_validate(self.job)

    @staticmethod
    def read(text: str | None, origin: Path) -> Card:
        """The card in a file's metadata.

        Raises:
            RunFolderError: if there is none, it is damaged, or of a different version.
        """
        if text is None:
            raise RunFolderError(f"{origin} has no card of qiskit_hqnn: it was not written by hqnn export.")
        try:
            content = json.loads(text)
            given = content.get("format")
            if given != FORMAT:
                raise RunFolderError(
                    f"{origin} has a card of version {given!r}, but this toolkit reads {FORMAT!r}: use "
                    "the version that wrote it, or export it again."
                )
            card = Card.model_validate(content)
            card.read_job()
        except (ValueError, AttributeError) as error:
            if isinstance(error, RunFolderError):
                raise
            raise RunFolderError(f"{origin} has a damaged card: {_first(error)}.") from None
        return card


def make_card(
    job: JobFile,
    metrics: Metrics,
    environment: Mapping[str, Any],
    network: Description | None = None,
    runs: SeveralRuns | None = None,
) -> Card:
    """The card of a run, or of several.

    Args:
        job: of the run, or of all runs.
        metrics: of the run, or of the first one.
        environment: its machine and versions; nothing about the machine is kept.
        network: its description.
        runs: of several runs, their means and differences.
    """
    packages = environment.get("packages", {})
    return Card(
        title=job.title,
        reference=job.reference,
        network=network,
        job=_without_folders(job.model_dump(mode="json", exclude_none=True)),
        data=metrics.data,
        parameters=metrics.parameters.model_dump() if metrics.parameters else {},
        training=_training(metrics),
        results=metrics.test,
        versions={name: environment[name] for name in ("qiskit_hqnn", "python") if environment.get(name)}
        | {name: version for name, version in packages.items() if version},
        runs=runs,
    )


def _training(metrics: Metrics) -> dict[str, object]:
    content = metrics.training.model_dump(mode="json", exclude_none=True) if metrics.training else {}
    return content | ({"seconds": metrics.seconds["train"]} if "train" in metrics.seconds else {})


def _without_folders(job: dict[str, Any]) -> dict[str, Any]:
    """A job with only the last part of each path: folders of this machine are not passed on."""
    sections: dict[str, object] = {name: _last_parts(job[name]) for name in ("model", "data") if name in job}
    return {**job, **sections}


def _last_parts(section: dict[str, object]) -> dict[str, object]:
    return {
        key: PurePath(value).name if isinstance(value, str) and PurePath(value).is_absolute() else value
        for key, value in section.items()
    }


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error).partition("\n")[0].rstrip(".")
