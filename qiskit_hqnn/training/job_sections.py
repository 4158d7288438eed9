"""The sections of a job file, each a type that knows what it allows."""

from __future__ import annotations

from math import pi
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from qiskit_hqnn.data import OWN
from qiskit_hqnn.errors import JobFileError

Shots = Annotated[int, Field(ge=1, le=100_000_000)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class Section(BaseModel):
    # TOML has types: "3" and true are no numbers.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ModelSection(BaseModel):
    """[model]: `name`, and options of that model; sizes that follow from the data may be left out."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class DataSection(Section):
    """[data]: see `qiskit_hqnn.data.load`."""

    name: str
    path: Annotated[str | None, Field(validate_default=True)] = None
    classes: Annotated[list[int | str], Field(min_length=2)] | None = None
    train_samples: Annotated[int, Field(ge=1)] | None = None
    test_samples: Annotated[int, Field(ge=1)] | None = None
    first: bool = False
    balanced: bool = False
    validation: int | float = 0.1
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    image_size: Annotated[int, Field(ge=1, le=1024)] | None = None
    channels: Literal[1, 3] | None = None
    reduce: Literal["autoencoder"] | None = None
    augment: list[Literal["rotation", "flip"]] = []
    seed: Seed = 0

    @field_validator("path")
    @classmethod
    def _path_of_own_data(cls, value: str | None, info: ValidationInfo) -> str | None:
        name = info.data.get("name")
        if name in OWN and value is None:
            raise JobFileError(f"key 'data.path' is missing, which data.name = {name!r} needs.")
        if name is not None and name not in OWN and value is not None:
            allowed = ", ".join(map(repr, OWN))
            raise JobFileError(f"data.path goes with data.name = {allowed}, but data.name is {name!r}.")
        return value

    @field_validator("validation")
    @classmethod
    def _images_or_a_share(cls, value: int | float) -> int | float:
        if value < 0 or (isinstance(value, float) and value >= 1):
            raise ValueError("must be a number of images such as 500, or a share such as 0.1")
        return value


class TrainSection(Section):
    """[train]: optimiser and budget; best weights are those of the best validation accuracy.

    `schedule` runs over all steps; `early_stopping` counts epochs without a lower validation loss; `threads` are
    torch's; `compile` compiles the exact quantum layer (see `QuantumLayer`); `tensorboard` writes event files beside
    metrics.csv.

    `shots` of the plain circuits and `gradient_shots` of the shifted ones are a number, or a list by epoch whose last
    one stays; with `shots_plateau` the next one comes after so many epochs without a lower validation loss instead.
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
    shots: Annotated[list[Shots], Field(min_length=1)] | None = None
    gradient_shots: Annotated[list[Shots], Field(min_length=1)] | None = None
    shots_plateau: Annotated[int, Field(ge=1)] | None = None

    @field_validator("shots", "gradient_shots", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return [value] if isinstance(value, int) and not isinstance(value, bool) else value


class MitigationSection(Section):
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


class SPSASection(Section):
    """[spsa]: the settings of `qiskit_hqnn.layers.SPSA`."""

    step: Annotated[float, Field(gt=0, le=pi / 2)] = 0.15
    repeats: Annotated[int, Field(ge=1)] = 4


class RandomShiftSection(Section):
    """[random_shift]: the settings of `qiskit_hqnn.layers.RandomShift`."""

    pairs: Annotated[int, Field(ge=1)] = 4
