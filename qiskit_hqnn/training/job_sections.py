"""The sections of a job file, each a type that defines what is allowed."""

from __future__ import annotations

from math import pi
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from qiskit_hqnn.data import OWN
from qiskit_hqnn.errors import JobFileError
from qiskit_hqnn.models import check_model
from qiskit_hqnn.training.job_numbers import check_numbers

Shots = Annotated[int, Field(ge=1, le=100_000_000)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class Section(BaseModel):
    # TOML has types: "3" and true are not numbers.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ModelSection(BaseModel):
    """[model]: `name`, and options of that model; sizes that follow from the data may be left out."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str
    """The model. Further keys of this section are its options, listed below."""

    @field_validator("name")
    @classmethod
    def _known(cls, value: str) -> str:
        check_model(value)
        return value

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class DataSection(Section):
    """[data]: see `qiskit_hqnn.data.load`."""

    name: str
    """The data set: `digits`, `mnist`, `fashion-mnist`, `cifar10`, `medical-mnist`, `medmnist:<set>`, or `folder`,
    `npz`, `csv` for custom data.
    """
    path: Annotated[str | None, Field(validate_default=True)] = None
    """Path of custom data, relative to the job file's folder."""
    targets: Annotated[list[str], Field(min_length=1)] | None = None
    """Numbers to learn instead of classes: columns of a `csv`, or names for the numbers of an `npz`. The loss is
    then `mse`, of standardised numbers.
    """
    classes: Annotated[list[int | str], Field(min_length=2)] | None = None
    """Only these classes, by label or by name; all by default."""
    train_samples: Annotated[int, Field(ge=1)] | None = None
    """Images for training and validation together, stratified by class; all by default."""
    test_samples: Annotated[int, Field(ge=1)] | None = None
    """Number of test images; all by default."""
    first: bool = False
    """Use the first images of each class instead of random ones."""
    balanced: bool = False
    """Use the same number of images of each class."""
    validation: int | float = 0.1
    """Training images that choose the epoch: a share below 1, or a number of images."""
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the images that become the test set, if the data has none."""
    image_size: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Pixels per side, to which images are resized."""
    resize: Literal["bilinear", "antialias"] | None = None
    """How published images are resized: `bilinear` (each new pixel between its nearest old ones), the default, or
    `antialias` (averaged over all that it covers, as Pillow does). Custom images are always antialiased.
    """
    channels: Literal[1, 3] | None = None
    """Grey (1) or colour (3). By default grey if all files are grey."""
    reduce: Literal["autoencoder"] | None = None
    """Replace the images by features of an autoencoder that is trained on the training images."""
    augment: list[Literal["rotation", "flip", "crop"]] = []
    """Random changes of the training images in each epoch, in this order: a rotation of up to 10°, a mirror image, a
    shift of up to an eighth of the image with black at its edges.
    """
    seed: Seed = 0
    """Seed of the selection and of the split; the same for all runs of one draw."""
    draws: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Random draws of the images, by the seeds from `seed` on; each is trained on with all seeds and controls."""

    @field_validator("targets", mode="before")
    @classmethod
    def _one_or_several_targets(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _classes_or_numbers(self) -> DataSection:
        if self.targets is not None:
            check_numbers(self.name, self.targets, self.classes is not None, self.balanced)
        return self

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

    @field_validator("draws")
    @classmethod
    def _something_is_drawn(cls, value: int, info: ValidationInfo) -> int:
        chosen = info.data
        if value == 1 or not chosen.keys() >= {"name", "validation"}:
            return value
        if chosen.get("first"):
            raise JobFileError(
                f"data.draws is {value}, but data.first takes the same images in every draw: leave out one."
            )
        if chosen.get("seed", 0) + value > 2**32:
            raise JobFileError(
                f"data.seed + data.draws must be at most {2**32}, but is {chosen['seed'] + value}."
            )
        sampled = chosen.get("train_samples") is not None or chosen.get("test_samples") is not None
        # MedMNIST comes with validation images.
        split = chosen["validation"] and not chosen["name"].startswith("medmnist:")
        if not sampled and not split and chosen["name"] not in OWN:
            raise JobFileError(
                f"data.draws is {value}, but nothing is drawn at random: give data.train_samples or data.test_samples."
            )
        return value

    @field_validator("validation")
    @classmethod
    def _images_or_a_share(cls, value: int | float) -> int | float:
        if value < 0 or (isinstance(value, float) and value >= 1):
            raise ValueError("must be a number of images such as 500, or a share such as 0.1")
        return value


class TrainSection(Section):
    """[train]: loss, optimiser and budget; best weights are those of the best validation accuracy.

    `loss` is the network's own by default, `class_weights` are numbers or "balanced"; `quantum_learning_rate` is that
    of the quantum layer's weights alone. The schedules "cosine" and "one-cycle" run over all steps; "step" multiplies
    the rate by `schedule_factor` every `schedule_epochs`, "exponential" after each epoch, "plateau" after that many
    epochs without a lower validation loss. `early_stopping` counts epochs without a better `early_stopping_metric`;
    `gradient_clipping` is the largest norm of a step's gradient; `threads` are torch's; `compile` compiles the exact
    quantum layer (see `QuantumLayer`); `loggers` write beside metrics.csv, `tensorboard` is short for one of them.

    `shots` of the plain circuits and `gradient_shots` of the shifted ones are a number, or a list by epoch whose last
    one stays; with `shots_plateau` the next one comes after that many epochs without a lower validation loss instead.
    """

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Passes over the training images."""
    batch_size: Annotated[int, Field(ge=1)] = 64
    """Images per step."""
    loss: Literal["cross-entropy", "nll", "negative-probability", "bce", "mse"] | None = None
    """Loss of the network's outputs; the network's own by default."""
    class_weights: Literal["balanced"] | list[Annotated[float, Field(gt=0)]] | None = None
    """Weight of each class in the loss; "balanced" gives classes of any size the same influence."""
    label_smoothing: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of a label that is spread over all classes."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    """Learning rate at the start."""
    quantum_learning_rate: Annotated[float, Field(gt=0)] | None = None
    """Learning rate of the quantum layer's weights, if different."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """The optimiser of `torch.optim`."""
    momentum: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Momentum of "sgd"."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Weight decay of the optimiser."""
    gradient_clipping: Annotated[float, Field(gt=0)] | None = None
    """Largest norm of a step's gradient; longer ones are scaled down."""
    schedule: Literal["cosine", "one-cycle", "step", "exponential", "plateau"] | None = None
    """Course of the learning rate, over all steps or by epoch; constant by default."""
    schedule_epochs: Annotated[int, Field(ge=1)] | None = None
    """Epochs between the steps of "step", or without a lower validation loss of "plateau"; 10 by default."""
    schedule_factor: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Factor of the rate for "step", "exponential" and "plateau"; by default 0.1, for "exponential" 0.95."""
    early_stopping: Annotated[int, Field(ge=1)] | None = None
    """Stop after this many epochs without a better `early_stopping_metric`."""
    early_stopping_metric: Literal["validation_loss", "validation_accuracy", "validation_r2"] | None = None
    """What early stopping watches; the validation loss by default. Numbers have `validation_r2`."""
    device: Literal["auto", "cpu", "cuda", "mps"] | None = None
    """Where the tensors are in training; "auto", the default, uses a GPU if there is one."""
    devices: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Processes on each machine, one for each GPU or CPU core, that divide every batch; one by default."""
    nodes: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Machines, started by torchrun or Slurm; one by default."""
    loggers: list[Literal["csv", "tensorboard", "mlflow", "wandb"]] | None = None
    """Loggers of Lightning that write beside `metrics.csv`."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Threads of torch; torch's own choice by default."""
    compile: bool = False
    """Compile the exact quantum layer: faster steps, after up to a minute."""
    tensorboard: bool = False
    """Write event files for TensorBoard beside `metrics.csv`."""
    shots: Annotated[list[Shots], Field(min_length=1)] | None = None
    """Shots of the plain circuits in training, instead of the job's: a number, or a list by epoch."""
    gradient_shots: Annotated[list[Shots], Field(min_length=1)] | None = None
    """Shots of the shifted circuits, a number or a list; a divisor or a multiple of `shots`."""
    shots_plateau: Annotated[int, Field(ge=1)] | None = None
    """Use the next of `shots` after this many epochs without a lower validation loss, instead of by epoch."""

    @property
    def processes(self) -> int:
        """Number of processes that divide every batch."""
        return (self.devices or 1) * (self.nodes or 1)

    @field_validator("shots", "gradient_shots", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return [value] if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _fit_together(self) -> TrainSection:
        needs = {
            "momentum": ("optimizer", ("sgd",)),
            "schedule_epochs": ("schedule", ("step", "plateau")),
            "schedule_factor": ("schedule", ("step", "exponential", "plateau")),
            "class_weights": ("loss", ("cross-entropy", "nll", "bce", None)),
            "label_smoothing": ("loss", ("cross-entropy", "bce", None)),
        }
        for key, (other, takers) in needs.items():
            if getattr(self, key) is not None and getattr(self, other) not in takers:
                allowed = ", ".join(repr(word) for word in takers if word)
                raise JobFileError(
                    f"train.{key} goes with {other} = {allowed}, but it is {getattr(self, other)!r}."
                )
        if self.processes > self.batch_size:
            raise JobFileError(
                f"train.batch_size is {self.batch_size}, but a batch is divided among {self.processes} processes "
                "(train.devices · train.nodes), each of which needs at least one image."
            )
        if self.early_stopping_metric is not None and self.early_stopping is None:
            raise JobFileError("train.early_stopping_metric takes effect with train.early_stopping only.")
        return self


class TunedSection(Section):
    """[tuned.CONTROL]: where a control's training differs from [train], chosen for it on validation images as the
    network's was (`hqnn sweep` does both).
    """

    learning_rate: Annotated[float, Field(gt=0)] | None = None
    """Learning rate at the start."""
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Passes over the training images."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Images per step."""
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    """Weight decay of the optimiser."""


class MitigationSection(Section):
    """[mitigation]: the words of `qiskit_hqnn.jobs.MitigationOptions`."""

    readout: Literal["trex", "m3"] | None = None
    """Correct readout errors by TREX or M3."""
    zne: list[int] | None = None
    """Odd noise factors of zero-noise extrapolation, such as `[1, 3, 5]`."""
    extrapolation: Literal["exponential", "linear", "quadratic"] = "exponential"
    """The curve by which zero-noise extrapolation reaches no noise."""
    randomizations: Annotated[int, Field(ge=1)] = 16
    """Random draws of each twirl, over which the shots are spread."""
    dynamical_decoupling: Literal["XX", "XpXm", "XY4", "delays"] | None = None
    """Pulses in the idle times of a circuit. `delays` schedules in the same way without pulses, as a control."""
    twirl_gates: bool = False
    """Twirl two-qubit Clifford gates by random Paulis."""
    twirl_measure: bool = False
    """Flip measured bits at random and back."""

    @model_validator(mode="after")
    def _fits_together(self) -> MitigationSection:
        if not self.model_dump(exclude_defaults=True):
            return self  # most jobs have none, and then need no Qiskit
        from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions

        MitigationOptions(**self.model_dump())
        return self


class SPSASection(Section):
    """[spsa]: the settings of `qiskit_hqnn.layers.SPSA`."""

    step: Annotated[float, Field(gt=0, le=pi / 2)] = 0.15
    """Perturbation of every angle in radians, up to π/2."""
    repeats: Annotated[int, Field(ge=1)] = 4
    """Random directions per sample, with two evaluations each."""


class RandomShiftSection(Section):
    """[random_shift]: the settings of `qiskit_hqnn.layers.RandomShift`."""

    pairs: Annotated[int, Field(ge=1)] = 4
    """Random pairs of shifts per sample, with two evaluations each."""
    all_inputs: bool = False
    """All shifts of the inputs' angles, and random ones of the others only."""
