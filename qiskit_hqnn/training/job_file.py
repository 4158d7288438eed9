"""The job file: everything that decides a run's result, checked before anything is loaded."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from qiskit_hqnn._checks import check_sizes, suggestion
from qiskit_hqnn._tiles import FORM, read_tiles
from qiskit_hqnn.data import DATASETS, OWN, PUBLISHED_NAMES, check_name
from qiskit_hqnn.errors import JobFileError, MissingDataError
from qiskit_hqnn.models import ALL_CONTROLS, CONTROLS_OF, is_own_network
from qiskit_hqnn.training.job_mistakes import sentence
from qiskit_hqnn.training.job_models import check_controls, section_of
from qiskit_hqnn.training.job_numbers import check_training
from qiskit_hqnn.training.job_sections import (
    DataSection,
    MitigationSection,
    ModelSection,
    RandomShiftSection,
    Section,
    Seed,
    Shots,
    SPSASection,
    TrainSection,
    TunedSection,
)
from qiskit_hqnn.training.rungs import check_rungs
from qiskit_hqnn.where import Where, check_devices

Repeat = int | tuple[int, int]
"""Which repetition a run is: its seed, or (draw, seed) if images are drawn several times.

A draw is a `data.seed`.
"""

_SECTION_OF = {"spsa": "spsa", "random-shift": "random_shift"}
"""Sections with the settings of a gradient rule, by its word."""


class JobFile(Section):
    """A job: model, data, training, where it runs, and its controls."""

    title: str = ""
    """A line for lists and reports."""
    reference: str = ""
    """The paper or figure that this job reproduces."""
    where: Where = Where("exact")
    """The place where training runs: `exact`, `noisy:fake_<device>`, `aer`, `fake_<device>` or `ibm_<device>`."""
    test: list[Where] = Field(default=[Where("exact")], min_length=1)
    """The places where the test set is run, once each."""
    shots: Shots = 1000
    """Samples per expectation value, wherever a place samples."""
    gradient: Literal["autograd", "parameter-shift", "random-shift", "spsa"] | None = None
    """The gradient rule. By default `autograd` on exact values, otherwise `parameter-shift`."""
    max_qpu_seconds: Annotated[float, Field(gt=0)] | None = None
    """The budget of one run in QPU seconds, training and tests together. A larger price is an error before anything
    is sent.
    """
    fractional: bool = False
    """Use a device's `rx` and `rzz` gates of any angle."""
    tiles: int | str | None = None
    """Sets of values that run side by side on a device: a number, or `"auto"` for as many as there are good regions;
    `"20,floor=0.9,spacing=1"`, or a table with `count`, `floor` and `spacing`, says which regions are good enough.
    """
    controls: list[str] = Field(default=[])
    """Controls to train beside the network, with the same splits, seeds and budget: `twin`, `frozen` and others of
    the model.
    """
    seeds: list[Seed] = Field(default=[0], min_length=1)
    """The seeds, one run each."""
    model: ModelSection
    data: DataSection
    train: TrainSection = TrainSection()
    mitigation: MitigationSection = MitigationSection()
    spsa: SPSASection | None = None
    random_shift: RandomShiftSection | None = None
    tuned: dict[str, TunedSection] | None = None
    """Sections `[tuned.CONTROL]`: a control's own training settings, chosen on validation images as the network's."""

    @property
    def places(self) -> tuple[Where, ...]:
        """The place of training, then the places of the tests."""
        return self.where, *self.test

    def single(self, repeat: Repeat, control: str | None) -> JobFile:
        """The job of one run: one seed on one draw of the images, one control or none."""
        draw, seed = repeat if isinstance(repeat, tuple) else (self.data.seed, repeat)
        options = self.model.model_dump() | ({"control": control} if control else {})
        changes = {
            "seeds": [seed],
            "controls": [],
            "model": ModelSection.model_validate(options),
            "data": self.data.model_copy(update={"seed": draw, "draws": 1}),
            "tuned": None,
        }
        if control and self.tuned and control in self.tuned:
            own = self.tuned[control].model_dump(exclude_none=True)
            changes["train"] = self.train.model_copy(update=own)
        return self.model_copy(update=changes)

    @property
    def repeats(self) -> list[Repeat]:
        """All repetitions, the same for each control: the seeds, or each seed on each draw of the images."""
        if self.data.draws == 1:
            return list(self.seeds)
        first = self.data.seed
        return [(draw, seed) for draw in range(first, first + self.data.draws) for seed in self.seeds]

    @model_validator(mode="before")
    @classmethod
    def _settings_of_the_rule(cls, content: object) -> object:
        """A job with a rule that has settings always contains them, so that its run folder records them."""
        if not isinstance(content, dict):
            return content
        section = _SECTION_OF.get(str(content.get("gradient")))
        return content if section is None else {section: {}, **content}

    @field_validator("spsa", "random_shift")
    @classmethod
    def _settings_are_used(cls, value: Section | None, info: ValidationInfo) -> Section | None:
        word = next(word for word, section in _SECTION_OF.items() if section == info.field_name)
        if value is not None and info.data.get("gradient", word) != word:
            raise ValueError(
                f"[{info.field_name}] takes effect with gradient = {word!r} only, but gradient is "
                f"{info.data['gradient']!r}"
            )
        return value

    @field_validator("train")
    @classmethod
    def _shots_of_training_go_together(cls, value: TrainSection, info: ValidationInfo) -> TrainSection:
        where, gradient = info.data.get("where", Where("exact")), info.data.get("gradient")
        if "data" in info.data:
            check_training(value, info.data["data"].targets)
        sampled = where.sampled or gradient not in (None, "autograd")
        check_rungs(value, info.data.get("shots", 1), where, sampled)
        if sampled and value.processes > 1:
            raise JobFileError(
                f"train.devices · train.nodes is {value.processes}, but training on {where!r} by samples has one job "
                "store and one budget, and takes one process."
            )
        return value

    @field_validator("tuned")
    @classmethod
    def _of_controls(
        cls, value: dict[str, TunedSection] | None, info: ValidationInfo
    ) -> dict[str, TunedSection] | None:
        model = info.data.get("model")
        if value and model is not None:
            known = CONTROLS_OF.get(model.name, ALL_CONTROLS)  # `controls` may leave out some of them
            for name in value:
                if name not in known:
                    raise JobFileError(
                        f"[tuned.{name}] is for a control of the network, one of {', '.join(known)}"
                        f"{suggestion(name, list(known))}"
                    )
        return value or None

    @field_validator("gradient")
    @classmethod
    def _autograd_is_exact(cls, value: str | None, info: ValidationInfo) -> str | None:
        where = info.data.get("where", Where("exact"))
        if value == "autograd" and where.sampled:
            raise ValueError(
                f"needs where = 'exact' or 'noisy:fake_<device>', but where is {where!r}, which takes "
                "'parameter-shift', 'random-shift' or 'spsa'"
            )
        return value

    @field_validator("fractional")
    @classmethod
    def _fractional_gates_are_a_devices(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not any(place.sampled and place.device for place in _places(info)):
            raise ValueError("takes effect on devices only, but where and test name none")
        return value

    @field_validator("tiles", mode="before")
    @classmethod
    def _tiles_are_a_devices(cls, value: object, info: ValidationInfo) -> object:
        if value is None:
            return None
        read = read_tiles(value)
        if read is None:
            raise ValueError(f"must be {FORM}")
        if not any(place.device for place in _places(info)):
            raise ValueError("takes effect on devices only, but where and test name none")
        return read.word

    @field_validator("mitigation")
    @classmethod
    def _pulses_are_one_circuits(cls, value: MitigationSection, info: ValidationInfo) -> MitigationSection:
        if value.dynamical_decoupling is not None and info.data.get("tiles") is not None:
            raise JobFileError(
                f"mitigation.dynamical_decoupling = {value.dynamical_decoupling!r} does not go with tiles, whose "
                "regions of different length wait for one readout; leave out one of both."
            )
        return value

    @field_validator("seeds", "controls", "test")
    @classmethod
    def _each_once(cls, value: list[object]) -> list[object]:
        if len(set(value)) < len(value):
            raise ValueError("must name each only once")
        return value


def _places(info: ValidationInfo) -> list[Where]:
    """The places that a job names, as far as known while it is read."""
    return [*([info.data["where"]] if "where" in info.data else []), *info.data.get("test", [])]


def read_job(path: str | Path, settings: Sequence[str] = ()) -> JobFile:
    """Read and check a job file.

    Args:
        path: a TOML file; a `data.path` in it is relative to its own folder.
        settings: changes such as "train.epochs=3", applied before checking; values are TOML, otherwise text, and an
            empty one ("train.schedule=") takes the key out, back to its default. A `data.path` among them is relative
            to the current folder.

    Raises:
        JobFileError: if the file is missing or is not TOML, or a key is unknown or has a wrong value.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except FileNotFoundError as error:
        raise JobFileError(
            f"There is no job file {path}; `hqnn ls` lists those that come with the toolkit."
        ) from error
    except IsADirectoryError as error:
        raise JobFileError(_folder_instead(path)) from error
    except OSError as error:
        raise JobFileError(f"Job file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise JobFileError(f"Job file {path} is not a text in UTF-8.") from error
    except (ValueError, RecursionError) as error:  # also nested too deeply, or thousands of digits
        raise JobFileError(f"Job file {path} is not valid TOML: {str(error).rstrip('.')}.") from error
    _make_absolute(content, path.absolute().parent)
    for setting in settings:
        _apply(content, setting)
    _make_absolute(content, Path.cwd())
    return check_job(content, str(path), text, {setting.partition("=")[0].strip() for setting in settings})


def _make_absolute(content: dict[str, object], folder: Path) -> None:
    """Absolute paths, so that the job names the same data, circuit and network wherever it is read."""
    for name, key in (("data", "path"), ("model", "ansatz"), ("model", "name")):
        section = content.get(name)
        value = section.get(key) if isinstance(section, dict) else None
        if isinstance(section, dict) and isinstance(value, str) and (key == "path" or _is_path(value)):
            section[key] = str(folder / Path(value).expanduser())


def _is_path(word: str) -> bool:
    """Whether a word is a circuit file's path, or "mine.py:name": no ansatz and no network has a suffix or a slash."""
    return is_own_network(word) or "/" in word or os.sep in word or bool(Path(word).suffix)


def _folder_instead(path: Path) -> str:
    if (path / "job.toml").exists():
        return f"{path} is a run folder, not a job file; its job file is {path / 'job.toml'}."
    return f"A job file must be a TOML file, but {path} is a folder."


def check_job(
    content: dict[str, object], source: str, text: str = "", changed: Collection[str] = ()
) -> JobFile:
    """A job from its parsed content; an error names the line of `text`, or that the key was `changed` later."""
    sections = dict(_SECTIONS)
    try:
        job = JobFile.model_validate(content)
        if (section := section_of(job.model.name)) is not None:
            sections["model"] = section
            create_model("Model", model=(section, ...)).model_validate({"model": content["model"]})
    except ValidationError as error:
        raise JobFileError(sentence(error, source, text, changed, sections)) from None
    if section is not None:
        check_controls(job.model.name, job.controls)
    check_sizes(content)
    return job


def check_words(job: JobFile) -> None:
    """Check that the words of a job exist, as far as possible before torch is loaded.

    Raises:
        JobFileError, DeviceError: if its data set or a snapshot is unknown, or custom data is missing.
    """
    name = job.data.name
    try:
        check_name(name)
    except MissingDataError:
        hint = suggestion(name, [*PUBLISHED_NAMES, *OWN, "medmnist:"])
        raise JobFileError(f"data.name must be one of {', '.join(DATASETS)}, but is {name!r}{hint}") from None
    for key, word in (("name", job.model.name), ("ansatz", str(job.model.options.get("ansatz", "")))):
        file = Path(word.rpartition(":")[0] if is_own_network(word) else word)
        if _is_path(word) and not file.is_file():
            raise JobFileError(f"model.{key} is {word}, but there is no file {file}.")
    check_devices(job.places)
    if job.data.path and not Path(job.data.path).exists():
        raise JobFileError(f"data.path is {job.data.path}, which does not exist.")


def _apply(content: dict[str, Any], setting: str) -> None:
    key, separator, value = setting.partition("=")
    if not separator or not key.strip():
        raise JobFileError(
            f"A setting must have the form key=value, such as train.epochs=3, but is {setting!r}."
        )
    try:
        parsed = tomllib.loads(f"value = {value.strip()}")["value"]
    except (ValueError, RecursionError):
        parsed = value.strip()
    *sections, name = key.strip().split(".")
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise JobFileError(f"Setting {setting!r} names {section!r} as a section, but it is a value.")
    if value.strip():
        content[name] = parsed
    else:
        content.pop(name, None)


_SECTIONS: dict[str, type[BaseModel]] = {
    "": JobFile,
    "model": ModelSection,
    "data": DataSection,
    "train": TrainSection,
    "mitigation": MitigationSection,
    "spsa": SPSASection,
    "random_shift": RandomShiftSection,
}
