"""`hqnn submit`: a trained run's test set to a device, for a price that is shown first."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qiskit_hqnn.cli.options import (
    CONFIDENCE,
    DATA_ROOT,
    FRACTIONAL,
    PLAN,
    STORE,
    TILES,
    check_confidence_option,
    check_run_folder,
    store_option,
    tiles_of_option,
)
from qiskit_hqnn.cli.terminal import say
from qiskit_hqnn.where import Where

if TYPE_CHECKING:
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    from qiskit_hqnn.jobs import JobManager
    from qiskit_hqnn.training import Half, LoadedRun


def submit(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    where: Annotated[str, typer.Option(help="aer, fake_<device> or ibm_<device>.")],
    shots: Annotated[int | None, typer.Option(help="Shots per circuit; the job's by default.")] = None,
    readout: Annotated[str | None, typer.Option(help="Readout mitigation: none, trex or m3.")] = None,
    zne: Annotated[
        str | None, typer.Option(help="Noise factors of zero-noise extrapolation, such as 1,3,5; or none.")
    ] = None,
    extrapolation: Annotated[str | None, typer.Option(help="exponential, linear or quadratic.")] = None,
    decoupling: Annotated[
        str | None, typer.Option(help="Dynamical decoupling: none, XX, XpXm, XY4, or delays.")
    ] = None,
    twirl_gates: Annotated[
        bool | None, typer.Option("--twirl-gates/--no-twirl-gates", help="Pauli twirling of two-qubit gates.")
    ] = None,
    twirl_measure: Annotated[
        bool | None,
        typer.Option("--twirl-measure/--no-twirl-measure", help="Flip measured bits at random and back."),
    ] = None,
    confidence: CONFIDENCE = None,
    fractional: FRACTIONAL = None,
    tiles: TILES = None,
    subset: Annotated[int | None, typer.Option(help="Only the first N test images.")] = None,
    max_qpu_seconds: Annotated[
        float | None, typer.Option(help="Refuse to send anything that costs more.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed samples the same request again.")] = 0,
    part: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="<int>",
            help="Simulations: sets of values in a part; smaller ones lose less to a crash.",
        ),
    ] = 2000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the price, send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    plan: PLAN = None,
    store: STORE = None,
    data_root: DATA_ROOT = Path("data"),
) -> None:
    """Send a trained run's test set to a device: shows the price, asks, records it, and returns.

    The classical layers run here, the quantum layer goes out as one job, and `hqnn jobs fetch` adds the result to the
    run. The same request is never sent twice: submitting it again finds the job. Mitigation is that of the run's job
    file unless an option says otherwise. With --confidence the test set goes out in rounds, each a job of its own, and
    this command waits for them.

    Example: hqnn submit runs/quickstart --where fake_fez --shots 1000 --subset 100
    """
    from qiskit_hqnn.errors import HQNNError

    if shots is not None and shots < 1:
        raise HQNNError(f"Option --shots must be at least 1, but is {shots}.")
    if max_qpu_seconds is not None and not max_qpu_seconds > 0:  # NaN is not
        raise HQNNError(f"Option --max-qpu-seconds must be positive, but is {max_qpu_seconds:g}.")
    place = Where.parse(where)
    if not place.sampled:
        raise HQNNError(
            f"Option --where must be aer, fake_<device> or ibm_<device>, but is {where!r}: use hqnn evaluate."
        )
    side_by_side = None if tiles is None else tiles_of_option(tiles)
    check_confidence_option(confidence)
    check_run_folder(folder)

    from qiskit_hqnn.cli.pricing import account_left, money_line
    from qiskit_hqnn.jobs import JobManager, Store, ensure_worker
    from qiskit_hqnn.jobs.adapters import open_place
    from qiskit_hqnn.training import begun_under, first_half, load_run, price_in_rounds, weights_digest

    money = money_line(plan)
    open_place(where, bool(fractional))  # a wrong word is reported before the data set is loaded
    run = load_run(folder, data_root)
    images = len(run.splits.test) if subset is None else subset
    settings = {"run": str(folder.absolute()), "images": images, "weights": weights_digest(run.folder)}
    opened = Store(store or _default_store())
    rounds = confidence is not None and place.hardware
    manager = JobManager(
        where,
        store=opened,
        cache=folder / "templates" if rounds else None,
        calibration=begun_under(opened, where, settings) if rounds else None,
        shots=shots or run.job.shots,
        max_qpu_seconds=max_qpu_seconds or run.job.max_qpu_seconds,
        mitigation=_mitigation(
            run.job.mitigation.model_dump(),
            zne,
            readout=readout,
            extrapolation=extrapolation,
            dynamical_decoupling=decoupling,
            twirl_gates=twirl_gates,
            twirl_measure=twirl_measure,
        ),
        seed=seed,
        sets_at_once=part,
        fractional=run.job.fractional if fractional is None else fractional,
        tiles=side_by_side if tiles is not None else run.job.tiles if place.device else None,
    )
    half = first_half(run, subset)
    estimation = manager.plan(half.pub)
    price, most = manager.price(estimation), ""
    if confidence is not None:
        price, number = price_in_rounds(manager, half)
        most = f" at most, in up to {number} rounds"
    regions = getattr(estimation, "words", "")
    unreal = "" if place.hardware else " (what hardware would charge)"
    say(f"{folder}: {images} images on {where}, {manager.shots} shots")
    if regions:
        say(f"tiles    {regions}")
    say(f"price    {price}{most}{unreal}")
    if plan:
        say(f"money    {money(price.qpu_seconds)}")
    _say_the_other_way(manager, half.pub)
    if place.hardware:
        say(f"account  {account_left()}")
        _say_state(where)
    known = manager.known(estimation, settings) if confidence is None else None
    if known is None:
        manager.meter.check(price, f"This request on {where}")
    else:
        _say_known(manager, known)
    if dry_run:
        say(str(estimation))
        return
    notes = {"data_root": str(data_root.absolute())}
    if not yes and known is None and not typer.confirm("Send it?"):
        raise typer.Exit(1)
    if confidence is not None:
        _in_rounds(run, manager, half, confidence, settings, notes)
        return
    job = manager.submit(half.pub, f"{folder.name} test set", settings, notes, max_qpu_seconds)
    assert manager.store is not None
    ensure_worker(manager.store)
    if place.hardware:
        _wait_until_sent(manager, job)
    say(f"job      {job[:10]}")
    say(f"next     hqnn jobs wait {job[:10]}{store_option(store)}")


def _in_rounds(
    run: LoadedRun,
    manager: JobManager,
    half: Half,
    confidence: float,
    settings: dict[str, Any],
    notes: dict[str, Any],
) -> None:
    """Send a test set in rounds and wait for them here: what a round is depends on the one before."""
    from qiskit_hqnn.cli.tables import print_results
    from qiskit_hqnn.training import submit_in_rounds

    manager.said = say
    try:
        submit_in_rounds(run, manager, half, confidence, settings, notes, say)
    except KeyboardInterrupt:
        say("The rounds so far are kept: the same command goes on with them.", err=True)
        raise
    print_results([(run.job.seeds[0], None, run.folder)])
    say(f"report   {run.folder.report}")


def _say_known(manager: JobManager, job: str) -> None:
    """That a request stands in the store already, and how it continues where it has ended without a result."""
    assert manager.store is not None
    state = manager.store.job(job).state
    ended = {"failed": "failed", "cancelled": "was cancelled", "paused": "is paused for want of budget"}
    say(f"It was submitted before{f' and {ended[state]}' if state in ended else ''}: nothing new is sent.")
    if state in ended:
        more = " --max-qpu-seconds SECONDS" if state == "paused" else ""
        say(f"again    hqnn jobs retry {job[:10]}{more} sends what is missing, and is paid anew.")


def _say_the_other_way(manager: JobManager, pub: EstimatorPub) -> None:
    """The price with, or without, the device's fractional gates; nothing where it has none."""
    from qiskit_hqnn.jobs import price_the_other_way

    other = price_the_other_way(manager, pub)
    if other is not None:
        way = "without fractional gates" if manager.device.fractional else "with --fractional"
        say(f"         {other} {way}")
    if manager.device.rule:
        say(f"gates    {manager.device.rule}")


def _mitigation(settings: dict[str, Any], zne: str | None, **given: str | bool | None) -> Any:
    """The job file's mitigation, with what was given on the command line in its place."""
    from qiskit_hqnn.errors import MitigationError
    from qiskit_hqnn.jobs import MitigationOptions

    settings |= {name: None if word == "none" else word for name, word in given.items() if word is not None}
    if zne is not None:
        try:
            settings["zne"] = None if zne == "none" else [int(factor) for factor in zne.split(",")]
        except ValueError:
            raise MitigationError(
                f"Option --zne must be odd factors such as 1,3,5, or none, but is {zne!r}."
            ) from None
    settings["zne"] = tuple(settings["zne"]) if settings["zne"] else None
    return MitigationOptions(**settings)


def _say_state(where: str) -> None:
    """That a device takes jobs and runs none just now; the price stands without it."""
    from qiskit_hqnn.errors import DeviceError
    from qiskit_hqnn.jobs.adapters.ibm import device_state

    with suppress(DeviceError):
        state = device_state(where)
        if state != "online":
            say(f"device   {where} is {state}: a job waits until it is back.")


def _default_store() -> str:
    from qiskit_hqnn.jobs.store import DEFAULT_STORE

    return DEFAULT_STORE


def _wait_until_sent(manager: JobManager, job: str, seconds: float = 120.0) -> None:
    """Hardware: come back with the job in the device's queue, so that the machine may be switched off."""
    assert manager.store is not None
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        states = {chunk.state for chunk in manager.store.chunks(job)}
        if not states & {"waiting", "intent"}:
            return
        time.sleep(0.5)
    say("It is recorded, but has not reached the device yet; the worker keeps trying.", err=True)
