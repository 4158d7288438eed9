"""`hqnn reproduce`: the published rows, run again, and the page with published and measured figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn.cli.clusters import RUNS_IN_WORKERS, RUNS_ON_DASK, ClusterWords
from qiskit_hqnn.cli.options import DATA_ROOT
from qiskit_hqnn.cli.terminal import say
from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.where import Where, check_devices

if TYPE_CHECKING:
    from distributed import Client

    from qiskit_hqnn.reproduction import Options, Outcome, Published


_NAME = Annotated[str, typer.Argument(help="A row (the name of its job file), a system's name, or all.")]
_QUICK = Annotated[
    bool,
    typer.Option("--quick", help="Less data, fewer epochs, one seed: all rows in a quarter of an hour."),
]
_SEEDS = Annotated[
    int | None, typer.Option(min=1, metavar="<int>", help="Seeds 0 to N−1 instead of the job file's.")
]
_CONTROLS = Annotated[
    bool,
    typer.Option(
        help="Run the job files' controls too, and rows unlike their text a second time with its settings."
    ),
]
_DEVICE = Annotated[
    str | None, typer.Option(help="Also test the networks there with 1,000 shots, such as fake_fez.")
]
_DEVICE_IMAGES = Annotated[int, typer.Option(min=1, metavar="<int>", help="Number of test images there.")]
_SETTINGS = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of every job, such as train.epochs=3."),
]
_OUT = Annotated[Path, typer.Option(help="Folder of the run folders.")]
_PAGE = Annotated[
    Path | None,
    typer.Option(
        help="The page. By default OUT/results.md; in a checkout docs/results.md, if no setting is changed."
    ),
]
_PAGE_ONLY = Annotated[bool, typer.Option("--page-only", help="Write the page from the runs that are there.")]
_AGAINST = Annotated[
    Path | None,
    typer.Option(
        "--against", metavar="CARD", help="Compare the row with a result card: in or out of its interval."
    ),
]
_QUIET = Annotated[bool, typer.Option(help="No progress bars.")]


def reproduce(
    name: _NAME = "all",
    quick: _QUICK = False,
    data_root: DATA_ROOT = Path("data"),
    seeds: _SEEDS = None,
    controls: _CONTROLS = True,
    device: _DEVICE = None,
    device_images: _DEVICE_IMAGES = 100,
    settings: _SETTINGS = None,
    out: _OUT = Path("runs/reproduce"),
    page: _PAGE = None,
    page_only: _PAGE_ONLY = False,
    workers: RUNS_IN_WORKERS = None,
    dask: RUNS_ON_DASK = None,
    against: _AGAINST = None,
    quiet: _QUIET = False,
) -> None:
    """Run the published systems again and write a page of published against measured figures.

    What is finished is not run again: after an interruption the same command resumes. The page has every row
    with runs in OUT. Beside it, results/NAME.json keeps each row's figures; rows whose run folders are gone are
    read from there. With --workers or --dask a row's seeds and controls are run side by side. With --against CARD the
    exit code is 0 if the row's network lies within the card's interval, 1 if it does not.

    Example: hqnn reproduce textbook-37 --data-root data
    """
    from qiskit_hqnn.reproduction import choose_rows

    cluster = ClusterWords(dask, workers)
    rows = choose_rows(name)  # a slip is reported before torch is loaded
    _check_device(device)

    from qiskit_hqnn.reproduction import Options, collect, keep_records, write_page

    options = Options(quick, seeds, controls, device, device_images, tuple(settings or ()))
    missing: dict[str, str] = {}
    if against is not None:
        _check_card(against, name, options)
    if not page_only:
        _check(rows, options)
        with cluster.client() as client:
            missing = _run(rows, options, out, data_root, quiet, client)
    target = page or _page(options, out)
    outcomes = collect(options, out, target, missing)
    write_page(target, outcomes, quick)
    written = keep_records(target, outcomes)
    say(f"page     {target}")
    if written:
        say(f"figures  {len(written)} files in {written[0].parent}")
    if kept := [part.name for outcome in outcomes for part in outcome.parts if part.from_file]:
        say(f"read from the files beside the page, as {out} holds fewer runs: {', '.join(kept)}", err=True)
    if missing:
        say(f"Could not be run, for the reasons above: {', '.join(missing)}.", err=True)
        raise typer.Exit(1)
    if against is not None and not _within(against, next(o for o in outcomes if o.row.job == name)):
        raise typer.Exit(1)


def _check_device(device: str | None) -> None:
    if device is None:
        return
    if not device.startswith(("aer", "fake_", "ibm_")):
        raise DeviceError(f"Option --device must be aer, fake_<device> or ibm_<device>, but is {device!r}.")
    check_devices([Where.parse(device)])


def _check_card(card: Path, name: str, options: Options) -> None:
    """Raises HQNNError, before the first training, if a card cannot be read or is not this row's."""
    from qiskit_hqnn.errors import JobFileError
    from qiskit_hqnn.reproduction import Outcome, check_settings, choose_rows, job_of, read_card

    rows = choose_rows(name)
    if [row.job for row in rows] != [name]:
        raise JobFileError(
            f"A card is compared with one row, but {name!r} names {len(rows)}: name one of them."
        )
    check_settings(Outcome(rows[0], name, job_of(rows[0], options), ""), read_card(card), card)


def _within(card: Path, outcome: Outcome) -> bool:
    """Print the row beside the card; returns whether its network lies within the card's interval."""
    from qiskit_hqnn.cli.terminal import print_rows
    from qiskit_hqnn.reproduction import hold, inside, read_card

    held = hold(outcome, read_card(card), card)
    rows = [
        (
            item.run,
            item.where,
            f"{100 * item.card:.2f} %",
            f"{100 * item.low:.2f} – {100 * item.high:.2f} %",
            f"{100 * item.here:.2f} %",
            "in" if item.inside else "out",
        )
        for item in held
    ]
    titles = ("run", "where", "card", "95 % interval", "here", "in or out")
    print_rows(titles, rows, left=("run", "where", "in or out"))
    word = "in" if inside(held) else "out of"
    say(f"{outcome.row.job}: the network is {word} the interval of {card}")
    return inside(held)


def _check(rows: list[Published], options: Options) -> None:
    """Raises HQNNError, before the first training, if a setting or the device is not allowed."""
    from qiskit_hqnn.training import check_snapshots, find_job, read_job

    for row in rows:
        test = [f"test=[{options.device!r}]"] if options.device else []
        check_snapshots(read_job(find_job(row.job), [*options.settings, *test]))


def _page(options: Options, out: Path) -> Path:
    """The default page: a checkout's own page only for rows with unchanged job files."""
    from qiskit_hqnn.training import shipped_folder

    if options.quick:
        return out / "results-quick.md"
    own = Path("docs/results.md")
    in_checkout = own.exists() and shipped_folder() == Path("jobs").absolute()
    as_published = options.controls and not options.seeds and not options.settings
    return own if in_checkout and as_published else out / "results.md"


def _run(
    rows: list[Published],
    options: Options,
    out: Path,
    data_root: Path,
    quiet: bool,
    client: Client | None = None,
) -> dict[str, str]:
    """Run the rows; returns the reason for each that could not be run."""
    from qiskit_hqnn.errors import HQNNError
    from qiskit_hqnn.reproduction import reproduce as run_row

    missing = {}
    for number, row in enumerate(rows, start=1):
        say(f"[{number}/{len(rows)}] {row.job}: {row.system}, {row.data}", err=True)
        try:
            run_row(row, options, out, data_root, not quiet, lambda text: say(text, err=True), client)
        except HQNNError as error:
            missing[row.job] = str(error)
            say(f"hqnn: {error}", err=True)
        except KeyboardInterrupt:
            say("Interrupted. The same command resumes.", err=True)
            raise
    return missing
