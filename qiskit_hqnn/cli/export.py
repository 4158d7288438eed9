"""`hqnn export`: a trained network as a file for others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qiskit_hqnn.cli.options import check_run_folder
from qiskit_hqnn.cli.terminal import say

_KINDS = (".safetensors", ".onnx", ".md")


def export(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    to: Annotated[
        Path,
        typer.Option(
            "--to",
            metavar="FILE",
            help="NAME.safetensors, NAME.onnx, a model card NAME.md; or a folder for network and card.",
        ),
    ],
    force: Annotated[bool, typer.Option(help="Overwrite an existing file.")] = False,
) -> None:
    """Write a trained network to one file: safetensors with a card in its metadata, or exact ONNX.

    `hqnn predict FILE IMAGE` and `qiskit_hqnn.load(FILE)` read the safetensors file without run folder and data set.
    ONNX runs without qiskit_hqnn and torch. In a folder, model.safetensors and README.md are written, as model hubs
    expect them.

    Example: hqnn export runs/mine --to mine.safetensors
    """
    from qiskit_hqnn.errors import FileError, HQNNError

    whole = to.is_dir() or not to.suffix
    if not whole and to.suffix not in _KINDS:
        raise HQNNError(
            f"Option --to must end in .safetensors, .onnx or .md, or name a folder, but is {str(to)!r}."
        )
    targets = [to / "model.safetensors", to / "README.md"] if whole else [to]
    taken = next((target for target in targets if target.exists()), None)
    if taken and not force:
        raise FileError(f"{taken} exists; overwrite it with --force.")
    check_run_folder(folder)

    from qiskit_hqnn.training import card_of, load_run, write_model_card, write_network, write_onnx

    run = load_run(folder)
    for target in targets:
        if target.suffix == ".safetensors":
            write_network(run, target)
        elif target.suffix == ".onnx":
            difference = write_onnx(run, target)
            say(f"agrees   to {difference:.1e} with the network, under onnxruntime")
        else:
            write_model_card(card_of(run), target)
        say(f"wrote    {target} ({target.stat().st_size / 1000:,.1f} kB)")
