"""The job file: everything that decides a run's result, checked before anything is loaded."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from math import pi
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from qiskit_hqnn._checks import check_sizes, suggestion
from qiskit_hqnn.errors import DeviceError, HQNNError, JobFileError
from qiskit_hqnn.where import Where

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class _Section(BaseModel):
    # TOML has types: "3" and true are no numbers.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ModelSection(BaseModel):
    """[model]: `name`, and options of that model; sizes that follow from the data may be left out."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class DataSection(_Section):
    """[data]: see `qiskit_hqnn.data.load`."""

    name: str
    classes: Annotated[list[int], Field(min_length=2)] | None = None
    train_samples: Annotated[int, Field(ge=1)] | None = None
    test_samples: Annotated[int, Field(ge=1)] | None = None
    first: bool = False
    balanced: bool = False
    validation: int | float = 0.1
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    image_size: Annotated[int, Field(ge=1, le=1024)] | None = None
    reduce: Literal["autoencoder"] | None = None
    augment: list[Literal["rotation", "flip"]] = []
    seed: Seed = 0

    @field_validator("validation")
    @classmethod
    def _images_or_a_share(cls, value: int | float) -> int | float:
        if value < 0 or (isinstance(value, float) and value >= 1):
            raise ValueError("must be a number of images such as 500, or a share such as 0.1")
        return value


class TrainSection(_Section):
    """[train]: optimiser and budget; best weights are those of the best validation accuracy.

    `schedule` runs over all steps; `early_stopping` counts epochs without a lower validation loss; `threads` are
    torch's; `compile` compiles the exact quantum layer (see `QuantumLayer`); `tensorboard` writes event files beside
    metrics.csv.
    """

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    batch_size: Annotated[int, Field(ge=1)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    schedule: Literal["cosine", "one-cycle"] | None = None
    early_stopping: Annotated[int, Field(ge=1)] | None = None
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    compile: bool = False
    tensorboard: bool = False


class MitigationSection(_Section):
    """[mitigation]: the words of `qiskit_hqnn.jobs.MitigationOptions`."""

    readout: Literal["trex", "m3"] | None = None
    zne: list[int] | None = None
    extrapolation: Literal["exponential", "linear", "quadratic"] = "exponential"
    randomizations: Annotated[int, Field(ge=1)] = 16
    dynamical_decoupling: Literal["XX", "XpXm", "XY4", "delays"] | None = None
    twirl_gates: bool = False
    twirl_measure: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> MitigationSection:
        from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions

        MitigationOptions(**self.model_dump())
        return self


class SPSASection(_Section):
    """[spsa]: the settings of `qiskit_hqnn.layers.SPSA`."""

    step: Annotated[float, Field(gt=0, le=pi / 2)] = 0.15
    repeats: Annotated[int, Field(ge=1)] = 4


class JobFile(_Section):
    """A job: model, data, training, where it runs, and its controls."""

    title: str = ""
    reference: str = ""
    where: str = "exact"
    test: Annotated[list[str], Field(min_length=1)] = ["exact"]
    shots: Annotated[int, Field(ge=1, le=100_000_000)] = 1000
    gradient: Literal["autograd", "parameter-shift", "spsa"] | None = None
    max_qpu_seconds: Annotated[float, Field(gt=0)] | None = None
    fractional: bool = False
    controls: list[str] = []
    seeds: Annotated[list[Seed], Field(min_length=1)] = [0]
    model: ModelSection
    data: DataSection
    train: TrainSection = TrainSection()
    mitigation: MitigationSection = MitigationSection()
    spsa: SPSASection | None = None

    def single(self, seed: int, control: str | None) -> JobFile:
        """The job of one run: one seed, one control or none."""
        options = self.model.model_dump() | ({"control": control} if control else {})
        return self.model_copy(
            update={"seeds": [seed], "controls": [], "model": ModelSection.model_validate(options)}
        )

    @model_validator(mode="before")
    @classmethod
    def _settings_of_spsa(cls, content: Any) -> Any:
        """A job by SPSA always has its settings, so that its run folder says which they were."""
        if isinstance(content, dict) and content.get("gradient") == "spsa":
            return {"spsa": {}, **content}
        return content

    @field_validator("spsa")
    @classmethod
    def _spsa_is_used(cls, value: SPSASection | None, info: ValidationInfo) -> SPSASection | None:
        if value is not None and info.data.get("gradient", "spsa") != "spsa":
            raise ValueError(
                f"[spsa] takes effect with gradient = 'spsa' only, but gradient is {info.data['gradient']!r}"
            )
        return value

    @field_validator("gradient")
    @classmethod
    def _autograd_is_exact(cls, value: str | None, info: ValidationInfo) -> str | None:
        where = info.data.get("where", "exact")
        if value == "autograd" and (where == "aer" or where.startswith(("fake_", "ibm_"))):
            raise ValueError(
                f"needs where = 'exact' or 'noisy:fake_<device>', but where is {where!r}, which takes "
                "'parameter-shift' or 'spsa'"
            )
        return value

    @field_validator("fractional")
    @classmethod
    def _fractional_gates_are_a_devices(cls, value: bool, info: ValidationInfo) -> bool:
        places = [info.data.get("where", "exact"), *info.data.get("test", [])]
        if value and not any(place.startswith(("fake_", "ibm_")) for place in places):
            raise ValueError("takes effect on devices only, but where and test name none")
        return value

    @field_validator("seeds", "controls", "test")
    @classmethod
    def _each_once(cls, value: list[Any]) -> list[Any]:
        if len(set(value)) < len(value):
            raise ValueError("must name each only once")
        return value

    @field_validator("where", "test")
    @classmethod
    def _known_places(cls, value: str | list[str]) -> str | list[str]:
        for where in [value] if isinstance(value, str) else value:
            try:
                Where.parse(where)
            except DeviceError:
                choices = "'exact', 'noisy:fake_<device>', 'aer', 'fake_<device>' or 'ibm_<device>'"
                raise ValueError(f"must be {choices}") from None
        return value


def read_job(path: Path, settings: Sequence[str] = ()) -> JobFile:
    """Read and check a job file.

    Args:
        path: a TOML file.
        settings: changes such as "train.epochs=3", applied before checking; values are TOML, or else text, and an
            empty one ("train.schedule=") takes the key out, back to its default.

    Raises:
        JobFileError: if the file is missing or is not TOML, or a key is unknown or has a wrong value.
    """
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
    for setting in settings:
        _apply(content, setting)
    return check_job(content, str(path), text, {setting.partition("=")[0].strip() for setting in settings})


def _folder_instead(path: Path) -> str:
    if (path / "job.toml").exists():
        return f"{path} is a run folder, not a job file; its job file is {path / 'job.toml'}."
    return f"A job file must be a TOML file, but {path} is a folder."


def check_job(content: dict[str, Any], source: str, text: str = "", changed: Collection[str] = ()) -> JobFile:
    """A job from its parsed content; an error names the line of `text`, or says that the key was `changed` since."""
    try:
        check_sizes(content)
        return JobFile.model_validate(content)
    except ValidationError as error:
        raise JobFileError(_sentence(error, source, text, changed)) from None


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


_NOT_IN_WEIGHTS = {
    "title",
    "reference",
    "seeds",
    "controls",
    "test",
    "max_qpu_seconds",
    "train.threads",
    "train.tensorboard",
}


def settings_of(job: JobFile) -> dict[str, Any]:
    """What the weights of a job's runs follow from, seeds apart, by dotted key; keys that are None are left out.

    Not among them: titles, places of the test, the budget, threads, and event files.
    """
    flat: dict[str, Any] = {}
    for key, value in job.model_dump(mode="json").items():
        flat |= (
            {f"{key}.{name}": part for name, part in value.items()}
            if isinstance(value, dict)
            else {key: value}
        )
    return {key: value for key, value in flat.items() if value is not None and key not in _NOT_IN_WEIGHTS}


def differences(settings: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """What differs between two of `settings_of`, in words such as "train.epochs 3, here 20"; empty if nothing does."""
    keys = [key for key in {**wanted, **settings} if settings.get(key) != wanted.get(key)]
    return "; ".join(
        f"{key} {settings.get(key, 'not set')}, here {wanted.get(key, 'not set')}" for key in keys
    )


_SECTIONS: dict[str, type[BaseModel]] = {
    "": JobFile,
    "model": ModelSection,
    "data": DataSection,
    "train": TrainSection,
    "mitigation": MitigationSection,
    "spsa": SPSASection,
}


def _sentence(error: ValidationError, source: str, text: str, changed: Collection[str]) -> str:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    section = path[0] if len(path) > 1 and path[0] in _SECTIONS else ""
    key = path[1] if section else path[0]
    name = f"{section}.{key}" if section else key
    where = "--set" if name in changed else f"{source}{_line_of(text, section, key)}"
    if first["type"] == "extra_forbidden":
        allowed = list(_SECTIONS[section].model_fields)
        place = f"[{section}]" if section else "the top level"
        return f"{where}: unknown key {name!r}; {place} takes {', '.join(allowed)}{suggestion(key, allowed)}"
    if first["type"] == "missing":
        return f"{where}: key {name!r} is missing."
    if isinstance(first.get("ctx", {}).get("error"), HQNNError):
        return f"{where}: {first['ctx']['error']}"
    return f"{where}: {name} is {_as_given(first['input'])}: {_rule(first, name)}."


def _rule(error: Any, name: str) -> str:
    """What is allowed, in the house's words where pydantic has others."""
    context = error.get("ctx", {})
    words = {
        "int_type": "must be a whole number",
        "int_from_float": "must be a whole number",
        "float_type": "must be a number",
        "finite_number": "must be a finite number",
        "string_type": "must be a text",
        "bool_type": "must be true or false",
        "list_type": "must be a list, such as [0, 1]",
        "model_type": f"must be a section: [{name}], and lines below it",
        "greater_than": f"must be more than {context.get('gt')}",
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "less_than_equal": f"must be at most {context.get('le')}",
        "literal_error": f"must be {context.get('expected')}",
        "too_short": f"must have at least {context.get('min_length')}",
    }
    message = error["msg"].removeprefix("Value error, ")
    return words.get(error["type"], message[0].lower() + message[1:])


def _as_given(value: Any) -> str:
    """The value as TOML has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_as_given(part)}" for key, part in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _line_of(text: str, section: str, key: str) -> str:
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[([\w-]+)\]", line):
            current = header[1]
        elif current == section and re.match(rf"\s*{re.escape(key)}\s*=", line):
            return f", line {number}"
    return ""
