"""[model] by the network that it names: its options, checked without torch."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model, field_validator, model_validator

from qiskit_hqnn._checks import quoted, suggestion
from qiskit_hqnn.errors import HQNNError, JobFileError
from qiskit_hqnn.models import (
    BACKBONES,
    CONTROLS_OF,
    ENCODERS,
    HYBRID,
    INTERPRETATIONS,
    KINDS,
    LARGEST,
    LAYERS,
    SCALINGS,
    check_control,
    check_model,
    is_own_network,
)
from qiskit_hqnn.training.job_sections import Section

Count = Annotated[int, Field(ge=1, le=LARGEST)]
Patterns = str | list[str]


class EncoderSection(Section):
    """[model.encoder]: `name`, and its settings."""

    name: str
    """none, flatten, cnn, or a network of torchvision such as resnet18."""
    channels: Annotated[list[Count], Field(min_length=1)] | None = None
    """Of a cnn: channels of its blocks; [16, 32] by default."""
    kernel: Annotated[int, Field(ge=1, le=99)] | None = None
    """Of a cnn: side of its kernels; 3 by default."""
    weights: str | None = None
    """Of a network of torchvision: pretrained weights, as "DEFAULT"; at random by default."""
    freeze: bool | None = None
    """Of a network of torchvision: its weights stay fixed."""

    @field_validator("name")
    @classmethod
    def _known(cls, value: str) -> str:
        known = [*ENCODERS, *BACKBONES]
        if value not in known:
            raise JobFileError(
                f"model.encoder must be one of {quoted(ENCODERS)}, or a network of torchvision such as 'resnet18', but "
                f"is {value!r}{suggestion(value, known)}"
            )
        return value

    @model_validator(mode="after")
    def _fit(self) -> EncoderSection:
        of_backbones = "a network of torchvision"
        kind = f"{self.name!r}" if self.name in ENCODERS else of_backbones
        home = {"channels": "'cnn'", "kernel": "'cnn'", "weights": of_backbones, "freeze": of_backbones}
        for key, where in home.items():
            if getattr(self, key) is not None and kind != where:
                raise JobFileError(
                    f"model.encoder.{key} belongs to {where}, but the encoder is {self.name!r}."
                )
        return self


class HybridSection(Section):
    """[model] of a network around a custom circuit; see `qiskit_hqnn.models.Hybrid`.

    `ansatz` is a published one, a circuit file, or "mine.py:factory", with its arguments in `options`.
    """

    name: Literal["hybrid"] = "hybrid"
    """A network around a custom circuit."""
    ansatz: str
    """A circuit file, "mine.py:factory", or a published ansatz."""
    inputs: Patterns | None = None
    """Patterns of the parameters that are inputs; by default all that are not weights."""
    weights: Patterns | None = None
    """Patterns of the parameters that are weights; by default all that are not inputs."""
    observables: Patterns | None = None
    """Outputs of the circuit; the expectation value of Z on each qubit by default."""
    options: dict[str, Any] | None = None
    """Arguments of a factory or a published ansatz."""
    encoder: EncoderSection = EncoderSection(name="flatten")
    """From a sample to the circuit's inputs: a word, or a separate section."""
    copies: Count = 1
    """Circuits side by side, each with its own inputs and weights."""
    scaling: Literal[SCALINGS] | None = None  # type: ignore[valid-type]
    """From the encoder's output to angles; by default batch norm, or none without an encoder."""
    layer: Literal[LAYERS] = "estimator"  # type: ignore[valid-type]
    """Expectation values, or probabilities of outcomes."""
    interpret: Literal[INTERPRETATIONS] | None = None  # type: ignore[valid-type]
    """Of a sampler: how outcomes become outputs; all outcomes are kept by default."""
    head: Literal["linear", "none"] | list[Count] = "linear"
    """From the layer's outputs to classes; numbers are widths of dense layers before the last one."""
    control: Literal[CONTROLS_OF[HYBRID]] | None = None  # type: ignore[valid-type]
    """What replaces the quantum layer."""

    @field_validator("head", mode="before")
    @classmethod
    def _words_or_widths(cls, value: object) -> object:
        widths = isinstance(value, list) and value and all(type(width) is int for width in value)
        if not widths and value not in ("linear", "none"):
            raise ValueError("must be 'linear', 'none', or widths of dense layers such as [16]")
        return value

    @field_validator("encoder", mode="before")
    @classmethod
    def _by_its_word(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    def arguments(self) -> dict[str, object]:
        """Arguments of `Hybrid` besides ansatz, shape and classes."""
        content = self.model_dump(exclude={"name", "ansatz", "inputs", "weights", "observables", "options"})
        content["encoder"] = self.encoder.model_dump(exclude_none=True)
        if content["control"] == "no-entanglement":
            content["control"] = None  # it is in the ansatz
        return content


def section_of(name: str) -> type[BaseModel] | None:
    """The section of a network; None for a class of a Python file, whose options only the file knows.

    Raises:
        HQNNError: if there is no such network.
    """
    check_model(name)
    if is_own_network(name):
        return None
    return HybridSection if name == HYBRID else _section(name)


@cache  # one takes milliseconds, and a page of results reads hundreds of job files
def _section(name: str) -> type[BaseModel]:
    fields: dict[str, Any] = {"name": (str, name)}
    for option, kind in KINDS[name].items():
        allowed: Any = {
            int: Count,
            float: Annotated[float, Field(ge=0, le=1)],
            str: str,
            list: Annotated[list[Count], Field(min_length=1)],
        }[kind]
        if option == "control":
            allowed = Literal[CONTROLS_OF[name]]
        fields[option] = (allowed | None, None)
    return create_model("ModelSection", __base__=Section, **fields)


def check_controls(name: str, controls: list[str]) -> None:
    """Raises JobFileError if the network lacks one of these control experiments."""
    for control in controls:
        try:
            check_control(control, name)
        except HQNNError as error:
            raise JobFileError(f"controls: {error}") from None
