"""metrics.json as a type: a run's measurements, and the names of its test results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from qiskit_hqnn.training.job_sections import MitigationSection
from qiskit_hqnn.training.scores import ACCURACY, R2, Errors, Score
from qiskit_hqnn.where import Where


class _Block(BaseModel):
    # Later versions and other programs may add to a block.
    model_config = ConfigDict(extra="allow", frozen=True)


class Apart(_Block):
    """The test images without a twin among the training and validation images."""

    images: int
    accuracy: float
    accuracy_interval: tuple[float, float]


INTERVAL = "95 % interval"
_OF_CLASSES = {"accuracy_interval", "confusion"}


class Result(_Block):
    """A test set, or a part of it, at one place.

    Attributes:
        where: the place's word.
        shots: samples of an expectation value; None where nothing was sampled.
        mitigation: the active settings, as in a job file's [mitigation]; empty for none.
        fractional: whether rx and rzz gates of any angle were used, on a device that has them.
        tiles: regions of the device that ran side by side, as they were asked for; None for one circuit alone.
        images: how many.
        subset: how the images were chosen, where they are fewer than the test set: its first ones, or random ones.
        accuracy, accuracy_interval, loss, macro_f1, confusion: of classes, as in `Evaluation.summary`.
        r2, r2_interval, targets: of numbers, as in `Regression.summary`.
        seconds: that it took.
        executions, qpu_seconds: what it has cost, or would have on hardware.
        job: id in the job store, where it was submitted.
        confidence: of images that were decided in rounds, up to `shots`; without a loss then, since outputs of images
            that were stopped are biased.
        mean_shots, rounds, undecided: shots of an image on average, rounds, and images that no shots could decide.
        full_executions, full_qpu_seconds: what the full budget for all images would have cost.
        agreement: share of images whose class is the one that the rest of the full budget leads to.
        without_twins: on test images without an equal one among those trained or chosen on; None where all are.
        without_near_twins: without an equal or nearly equal one (`qiskit_hqnn.data.twins`).
    """

    where: str
    shots: int | None = None
    mitigation: dict[str, object] = {}
    fractional: bool = False
    tiles: int | str | None = None
    images: int
    subset: Literal["first", "random"] | None = None
    accuracy: float | None = None
    accuracy_interval: tuple[float, float] = (0.0, 1.0)
    loss: float | None = None
    macro_f1: float | None = None
    confusion: list[list[int]] = []
    r2: float | None = None
    r2_interval: tuple[float, float] | None = None
    targets: dict[str, Errors] = {}
    seconds: float = 0.0
    executions: int | None = None
    qpu_seconds: float | None = None
    job: str | None = None
    confidence: float | None = None
    mean_shots: float | None = None
    rounds: int | None = None
    undecided: int | None = None
    full_executions: int | None = None
    full_qpu_seconds: float | None = None
    agreement: float | None = None
    without_twins: Apart | None = None
    without_near_twins: Apart | None = None

    @model_validator(mode="after")
    def _of_classes_or_numbers(self) -> Result:
        if not self.targets and (self.accuracy is None or self.macro_f1 is None):
            raise ValueError("a result needs accuracy and macro_f1, or targets")
        return self

    @property
    def score(self) -> Score:
        """The score of this result."""
        return R2 if self.targets else ACCURACY

    @property
    def value(self) -> float:
        """Accuracy, or R² of numbers (NaN where they do not vary)."""
        value = self.r2 if self.targets else self.accuracy
        return nan if value is None else value

    @property
    def headline(self) -> str:
        """The score in words: "97.31 %", or "R² 0.8213"."""
        return self.score.words(self.value) if self.score.percent else f"R² {self.score.words(self.value)}"

    @property
    def figures(self) -> dict[str, str]:
        """Its figures in words by name, for tables."""
        loss = "–" if self.loss is None else f"{self.loss:.4f}"
        if not self.targets:
            assert self.macro_f1 is not None
            interval = self.score.interval(*self.accuracy_interval)
            named = {"accuracy": self.score.words(self.value), INTERVAL: interval}
            return named | {"macro F1": f"{self.macro_f1:.4f}", "loss": loss}
        found = {"R²": "–" if self.r2 is None else self.score.words(self.r2)}
        found[INTERVAL] = self.score.interval(*self.r2_interval) if self.r2_interval else "–"
        for name, errors in self.targets.items():
            of = f" {name}" if len(self.targets) > 1 else ""
            found |= {f"MAE{of}": f"{errors.mae:.4g}", f"MSE{of}": f"{errors.mse:.4g}"}
        return found | {"loss": loss}

    @property
    def conditions(self) -> str:
        """Shots, gates and mitigation in words, such as "1,000 shots, trex"; empty where nothing was sampled."""
        words = [] if self.shots is None else [f"{self.shots:,} shots"]
        words += [] if self.confidence is None else [f"confidence {self.confidence:g}"]
        words += ["fractional gates"] if self.fractional else []
        words += [] if self.tiles is None else [_tiles_in_words(self.tiles, " ")]
        return ", ".join(words + [word.replace("-", " ") for word in mitigation_words(self.mitigation)])

    def as_json(self) -> dict[str, object]:
        """The block of metrics.json, without empty entries."""
        content = self.model_dump(mode="json", exclude=_OF_CLASSES if self.targets else None)
        return {
            name: value
            for name, value in content.items()
            if not (value is None or value is False or value == {})
        }


class Parameters(_Block):
    """Trainable parameters."""

    classical: int
    quantum: int


class Training(_Block):
    """Where and how long a network was trained, and the cost off the exact simulator."""

    where: str = "exact"
    device: str | None = None
    epochs: int = 0
    gradient: str | None = None
    spsa_step: float | None = None
    spsa_repeats: int | None = None
    random_shift_pairs: int | None = None
    random_shift_all_inputs: bool | None = None
    shots: int | None = None
    shots_schedule: list[int] | None = None
    processes: int | None = None
    gradient_shots: list[int] | None = None
    executions: int | None = None
    qpu_seconds: float | None = None


class Metrics(_Block):
    """All of metrics.json.

    Attributes:
        data: the fingerprint of the images, and how many of each class are in which part.
        parameters, seconds, training: of the training.
        test: results by name; see `Plain`.
        earlier: results with the weights of before a longer training, each with the epochs that had been trained.
    """

    data: dict[str, Any] = {}
    parameters: Parameters | None = None
    seconds: dict[str, float] = {}
    training: Training | None = None
    test: dict[str, Result] = {}
    earlier: list[dict[str, object]] = Field(default=[])

    @model_validator(mode="before")
    @classmethod
    def _named(cls, content: object) -> object:
        """Blocks from before 0.2 have their place only in their name."""
        if not isinstance(content, Mapping) or not isinstance(content.get("test"), Mapping):
            return content
        return {
            **content,
            "test": {name: _with_place(name, block) for name, block in content["test"].items()},
        }


def _with_place(name: str, block: object) -> object:
    if not isinstance(block, Mapping) or "where" in block:
        return block
    # No place's word has a hyphen in it.
    word, _, rest = name.partition("-")
    added: dict[str, object] = {"where": word}
    if rest == "mitigated":
        added["mitigation"] = {"readout": "trex"}
    return {**added, **block}


def active(mitigation: Mapping[str, object]) -> dict[str, object]:
    """The active settings of a job file's [mitigation] that differ from their defaults; empty for none."""
    defaults = MitigationSection().model_dump()
    # In the order of the section, so that a name does not depend on how the settings were written down.
    given = {
        name: list(value) if isinstance(value, tuple) else value
        for name in dict.fromkeys([*defaults, *sorted(mitigation)])
        if (value := mitigation.get(name)) not in (None, False, [], ()) and value != defaults.get(name)
    }
    if "zne" not in given:
        given.pop("extrapolation", None)
    if not (given.get("readout") == "trex" or {"twirl_gates", "twirl_measure"} & given.keys()):
        given.pop("randomizations", None)
    return given


def mitigation_words(mitigation: Mapping[str, object]) -> list[str]:
    """The active settings, in words such as "trex", "XY4", "zne-1-3-5", "twirl-gates" and "randomizations-32"."""
    words = []
    for name, value in active(mitigation).items():
        plain = name in ("readout", "dynamical_decoupling", "extrapolation")
        label = [] if plain else [name.replace("_", "-")]
        values = value if isinstance(value, list) else [] if value is True else [value]
        words.append("-".join([*label, *map(str, values)]))
    return words


@dataclass(frozen=True)
class Plain:
    """The plain result at a place: the whole test set, with the shots and the mitigation of the job file.

    Attributes:
        shots, mitigation: of the job file.
        images: in the whole test set.
        fractional: of the job file; a device without such gates is asked for none.
        tiles: of the job file; places without a device take none.
    """

    shots: int
    mitigation: Mapping[str, object]
    images: int
    fractional: bool = False
    tiles: int | str | None = None

    def name(self, result: Result) -> str:
        """A result's full name: the place's word, followed by whatever is not plain.

        "aer" is plain; "aer-4000-shots", "fake_fez-trex-zne-1-3-5", "exact-20-images" and
        "fake_fez-unmitigated-100-random-images" are not.
        """
        words = [self._device(result)]
        plain_shots = self.shots if Where.parse(result.where).sampled else None
        if result.shots not in (None, plain_shots):
            words.append(f"{result.shots}-shots")
        if result.confidence is not None:
            words.append(f"confidence-{result.confidence:g}")
        if result.shots is not None and active(result.mitigation) != active(self.mitigation):
            words += mitigation_words(result.mitigation) or ["unmitigated"]
        on_device = result.shots is not None and Where.parse(result.where).device is not None
        if on_device and result.tiles != self.tiles:
            words.append("untiled" if result.tiles is None else _tiles_in_words(result.tiles, "-"))
        if result.images < self.images:
            words.append(f"{result.images}-{'random-' if result.subset == 'random' else ''}images")
        return "-".join(words)

    def _device(self, result: Result) -> str:
        """The place, and its gates where they are not those of the job file: the beginning of a name."""
        if Where.parse(result.where).device is None or result.fractional == self.fractional:
            return str(result.where)
        return f"{result.where}-{'fractional' if result.fractional else 'without-fractional'}"

    def at(self, tests: Mapping[str, Result], where: str) -> Result | None:
        """The plain result at a place; None if it was not measured yet."""
        return next((result for result in tests.values() if self.name(result) == where), None)

    def place(
        self, tests: Mapping[str, Result], result: Result
    ) -> tuple[dict[str, Result], str, dict[str, str]]:
        """Put a result beside others, so that none of them is lost.

        The place's word alone is the name of the plain result. As long as there is none, the first one at the place
        (with the same gates) has that name; it gets its full name when the plain one comes. What was measured in the
        same way (by the same submission, if it was submitted) is replaced.

        Args:
            tests: results by name.
            result: another one.

        Returns:
            All of them by name, the name of the new one, and new names of earlier ones by their old ones.
        """
        full, word = self.name(result), self._device(result)
        moved: dict[str, str] = {}
        here = tests.get(word)
        if here is not None and full == word and self.name(here) != word:
            moved[word] = _free(self.name(here), here, tests)
        kept = {moved.get(name, name): other for name, other in tests.items()}
        first = word not in kept or (self.name(kept[word]) == full and kept[word].job == result.job)
        name = word if first else _free(full, result, kept)
        return {**kept, name: result}, name, moved


def _free(name: str, result: Result, known: Mapping[str, Result]) -> str:
    """The name, or the name with a number where another submission's result stands under it."""
    number, candidate = 1, name
    while candidate in known and known[candidate].job != result.job:
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def _tiles_in_words(tiles: int | str, between: str) -> str:
    """Such as "20 tiles", or "20 tiles floor 0.9 spacing 1"."""
    count, *more = str(tiles).split(",")
    return between.join([count, "tiles", *(word for part in more for word in part.split("="))])
