"""`hqnn predict`: a trained network's predictions for pictures, on this machine or on a device."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn.cli.clusters import DASK, WORKERS, ClusterWords
from qiskit_hqnn.cli.options import (
    BUDGET,
    FRACTIONAL,
    SHOW_PRICE_ONLY,
    TILES,
    YES_TO_HARDWARE,
    check_budget_option,
    check_run_folder,
    check_shots_option,
    tiles_of_option,
)
from qiskit_hqnn.cli.terminal import note, print_rows, say
from qiskit_hqnn.where import Where, check_devices

if TYPE_CHECKING:
    from torch import Tensor

    from qiskit_hqnn.training import Prediction, Predictor, Values


class Form(StrEnum):
    """How predictions are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


_NETWORK = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run folder, or a file that hqnn export wrote.")
]
_PICTURES = Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Pictures, or folders of them.")]
_WHERE = Annotated[str, typer.Option(help="exact, noisy:fake_<device>, aer, fake_<device> or ibm_<device>.")]
_SHOTS = Annotated[int | None, typer.Option(help="Shots per expectation value; the job's by default.")]
_FORM = Annotated[Form, typer.Option("--format", help="table, json or csv.")]
_RESUME = Annotated[
    bool,
    typer.Option("--resume", help="Hardware: find earlier requests, sent under this calibration."),
]


def predict(
    network: _NETWORK,
    images: _PICTURES,
    where: _WHERE = "exact",
    shots: _SHOTS = None,
    fractional: FRACTIONAL = None,
    tiles: TILES = None,
    dask: DASK = None,
    workers: WORKERS = None,
    form: _FORM = Form.TABLE,
    max_qpu_seconds: BUDGET = None,
    dry_run: SHOW_PRICE_ONLY = False,
    yes: YES_TO_HARDWARE = False,
    resume: _RESUME = False,
) -> None:
    """Classify pictures with a trained network: class, probability, and margin over the next class; or its numbers.

    Pictures are read like the run's own; its data set is not needed. On devices the price is shown first, and
    hardware is used only after a yes.

    Example: hqnn predict runs/mine scan-1.png scan-2.png
    """
    from qiskit_hqnn.errors import HQNNError

    check_shots_option(shots)
    check_budget_option(max_qpu_seconds)
    place = Where.parse(where)
    check_devices([place])
    cluster = ClusterWords(dask, workers)
    cluster.check_places([place])
    if fractional and not (place.sampled and place.device):
        raise HQNNError(f"Option --fractional takes effect on devices only, but --where is {where!r}.")
    changed: dict[str, bool | int | str | None] = {} if tiles is None else {"tiles": tiles_of_option(tiles)}
    if changed.get("tiles") and not (place.device and (place.sampled or shots)):
        raise HQNNError(f"Option --tiles takes effect on samples of a device only, but --where is {where!r}.")
    if not network.is_file():
        check_run_folder(network)
    check_there(images)

    from qiskit_hqnn.training import PREDICTIONS_STORE, load, load_run

    predictor = load(network).predictor if network.is_file() else load_run(network).predictor
    if fractional is not None:
        changed["fractional"] = fractional
    if changed:
        predictor = predictor.with_job(**changed)
    pictures, sources = predictor.batch(pictures_in(images))
    if (place.sampled or dry_run) and not _may_run(
        predictor, pictures, place, shots, max_qpu_seconds, dry_run, yes
    ):
        raise typer.Exit(0 if dry_run else 1)
    beside = network.with_suffix(".db") if network.is_file() else network / PREDICTIONS_STORE
    store = beside if place.hardware else None
    with cluster.opened():
        prediction = predictor.predict(pictures, where, shots, store, resume, max_qpu_seconds)
    show(prediction.of(sources), form)


def check_there(images: list[Path]) -> None:
    """Check that pictures exist, before torch is loaded.

    Raises:
        MissingDataError: if one is not.
    """
    from qiskit_hqnn.errors import MissingDataError

    for path in images:
        if not path.exists():
            raise MissingDataError(f"There is no picture {path}.")


def pictures_in(images: list[Path]) -> list[Path]:
    """Given files, and the pictures in given folders, in order.

    Raises:
        MissingDataError: if a folder has none.
    """
    from qiskit_hqnn.data import pictures_below

    return [file for path in images for file in (pictures_below(path) if path.is_dir() else [path])]


def _may_run(
    predictor: Predictor,
    pictures: Tensor,
    place: Where,
    shots: int | None,
    budget: float | None,
    dry_run: bool,
    yes: bool,
) -> bool:
    """Whether pictures may go to a place: the price is shown on standard error; for hardware the user is asked."""
    from qiskit_hqnn.cli.pricing import account_left
    from qiskit_hqnn.jobs import Meter

    price = predictor.price(pictures, place, shots)
    if not price.jobs:
        say(f"price    none: {place} is computed on this machine", err=True)
        return not dry_run
    unreal = "" if place.hardware else " (what hardware would charge)"
    say(f"price    {price}{unreal}", err=True)
    if place.hardware:
        say(f"account  {account_left()}", err=True)
    if dry_run:
        return False
    limit = budget or predictor.job.max_qpu_seconds
    Meter(limit).check(price, f"This prediction on {place}")
    return yes or not place.hardware or limit is not None or typer.confirm(f"Send it to {place}?", err=True)


def show(prediction: Prediction | Values, form: Form) -> None:
    """Print a prediction."""
    if form is Form.JSON:
        say(prediction.json())
    elif form is Form.CSV:
        say(prediction.csv().rstrip("\n"))
    else:
        titles, rows, left, remark = prediction.table()
        print_rows(titles, rows, left=left)
        if remark:
            note(remark)
