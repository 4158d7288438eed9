"""`hqnn submit`: sends a trained run's test set to a device; the price is shown first."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiskit_hqnn.cli.clusters import DASK, WORKERS, ClusterWords
from qiskit_hqnn.cli.mitigation import (
    DECOUPLING,
    EXTRAPOLATION,
    READOUT,
    TWIRL_GATES,
    TWIRL_MEASURE,
    ZNE,
    MitigationWords,
)
from qiskit_hqnn.cli.options import (
    BUDGET,
    CONFIDENCE,
    DATA_ROOT,
    FRACTIONAL,
    PLAN,
    RUN,
    SHOW_PRICE_ONLY,
    STORE,
    SUBSET,
    TILES,
    YES,
    check_budget_option,
    check_confidence_option,
    check_run_folder,
    check_shots_option,
    store_option,
    tiles_of_option,
)
from qiskit_hqnn.cli.terminal import say
from qiskit_hqnn.where import Where, check_devices

if TYPE_CHECKING:
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    from qiskit_hqnn.jobs import JobManager, Price
    from qiskit_hqnn.jobs.tiling import Planned
    from qiskit_hqnn.training import Half, LoadedRun

_WHERE = Annotated[str, typer.Option(help="aer, fake_<device> or ibm_<device>.")]
_SHOTS = Annotated[int | None, typer.Option(help="Shots per circuit; the job's by default.")]
_SEED = Annotated[int, typer.Option(help="A different seed samples the same request again.")]
_PART = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="<int>",
        help="Simulations: sets of values in a part; smaller ones lose less to a crash.",
    ),
]


@dataclass(frozen=True)
class _Asked:
    """The options for a device, checked before torch is loaded.

    Raises:
        HQNNError: if an option is out of range.
    """

    folder: Path
    where: str
    shots: int | None
    max_qpu_seconds: float | None
    mitigation: MitigationWords
    confidence: float | None
    fractional: bool | None
    tiles: str | None
    seed: int
    part: int

    def __post_init__(self) -> None:
        from qiskit_hqnn.errors import HQNNError

        check_shots_option(self.shots)
        check_budget_option(self.max_qpu_seconds)
        if not self.place.sampled:
            raise HQNNError(
                f"Option --where must be aer, fake_<device> or ibm_<device>, but is {self.where!r}: use hqnn evaluate."
            )
        check_devices([self.place])
        if self.tiles is not None:
            tiles_of_option(self.tiles)
        check_confidence_option(self.confidence)
        check_run_folder(self.folder)

    @property
    def place(self) -> Where:
        return Where.parse(self.where)

    def tiles_on(self, run: LoadedRun) -> int | str | None:
        """Regions side by side: the option's, otherwise the job file's, if there is a device to divide."""
        if self.tiles is not None:
            return tiles_of_option(self.tiles)
        return run.job.tiles if self.place.device else None


@dataclass(frozen=True)
class _Request:
    """A test set as it would be sent, with the keys by which it is found again."""

    run: LoadedRun
    manager: JobManager
    half: Half
    confidence: float | None
    settings: dict[str, str | int]
    notes: dict[str, str]


def submit(
    folder: RUN,
    where: _WHERE,
    shots: _SHOTS = None,
    readout: READOUT = None,
    zne: ZNE = None,
    extrapolation: EXTRAPOLATION = None,
    decoupling: DECOUPLING = None,
    twirl_gates: TWIRL_GATES = None,
    twirl_measure: TWIRL_MEASURE = None,
    confidence: CONFIDENCE = None,
    fractional: FRACTIONAL = None,
    tiles: TILES = None,
    subset: SUBSET = None,
    dask: DASK = None,
    workers: WORKERS = None,
    max_qpu_seconds: BUDGET = None,
    seed: _SEED = 0,
    part: _PART = 2000,
    dry_run: SHOW_PRICE_ONLY = False,
    yes: YES = False,
    plan: PLAN = None,
    store: STORE = None,
    data_root: DATA_ROOT = Path("data"),
) -> None:
    """Send a trained run's test set to a device: shows the price, asks, records it, and returns.

    The classical layers run here, the quantum layer is sent as one job, and `hqnn jobs fetch` adds the result to the
    run. The same request is never sent twice: submitting it again finds the job. Mitigation is that of the run's job
    file unless an option changes it. With --confidence the test set is sent in rounds, each a separate job, and this
    command waits for them. It also waits for a simulation that is sampled on a cluster (--dask or --workers).

    Example: hqnn submit runs/quickstart --where fake_fez --shots 1000 --subset 100
    """
    words = MitigationWords(readout, zne, extrapolation, decoupling, twirl_gates, twirl_measure)
    asked = _Asked(folder, where, shots, max_qpu_seconds, words, confidence, fractional, tiles, seed, part)
    cluster = ClusterWords(dask, workers)
    cluster.check_places([asked.place])

    from qiskit_hqnn.cli.pricing import money_line
    from qiskit_hqnn.jobs.adapters import open_place
    from qiskit_hqnn.training import load_run

    money = money_line(plan)
    open_place(where, bool(fractional))  # a wrong word is reported before the data set is loaded
    run = load_run(folder, data_root)
    with nullcontext() if dry_run else cluster.opened():
        request = _request(asked, run, subset, store, data_root)
        estimation = request.manager.plan(request.half.pub)
        known = _say_price(request, estimation, money if plan else None)
        if dry_run:
            _say_plan(request, estimation)
            return
        if not yes and known is None and not typer.confirm("Send it?"):
            raise typer.Exit(1)
        if confidence is None:
            _send(request, store, max_qpu_seconds, here=bool(cluster))
        else:
            _in_rounds(request, confidence, request.manager.price(estimation))


def _request(
    asked: _Asked, run: LoadedRun, subset: int | None, store: str | None, data_root: Path
) -> _Request:
    """The request and the manager that sends it; nothing is recorded yet."""
    from qiskit_hqnn.cluster import in_use
    from qiskit_hqnn.jobs import JobManager, Store
    from qiskit_hqnn.jobs.store import DEFAULT_STORE
    from qiskit_hqnn.training import begun_under, check_classes, first_half, weights_digest

    if asked.confidence is not None:
        check_classes(run.model, "A confidence is of a class")
    settings: dict[str, str | int] = {
        "run": str(asked.folder.absolute()),
        "images": len(run.splits.test) if subset is None else subset,
        "weights": weights_digest(run.folder),
    }
    opened = Store(store or DEFAULT_STORE)
    rounds = asked.confidence is not None and asked.place.hardware
    manager = JobManager(
        asked.where,
        store=opened,
        cache=asked.folder / "templates" if rounds else None,
        calibration=begun_under(opened, asked.where, settings) if rounds else None,
        shots=asked.shots or run.job.shots,
        max_qpu_seconds=asked.max_qpu_seconds or run.job.max_qpu_seconds,
        mitigation=asked.mitigation.over(run.job),
        seed=asked.seed,
        sets_at_once=asked.part,
        cluster=in_use(),
        fractional=run.job.fractional if asked.fractional is None else asked.fractional,
        tiles=asked.tiles_on(run),
    )
    notes = {"data_root": str(data_root.absolute())}
    return _Request(run, manager, first_half(run, subset), asked.confidence, settings, notes)


def _say_price(request: _Request, estimation: Planned, money: Callable[[float], str] | None) -> str | None:
    """Print a request and its cost; returns the existing job for it, or None.

    Raises:
        BudgetError: if a new one costs more than is left.
    """
    from qiskit_hqnn.cli.pricing import account_left
    from qiskit_hqnn.jobs import Price
    from qiskit_hqnn.training import price_in_rounds

    manager, where = request.manager, Where.parse(request.manager.where)
    price, most = manager.price(estimation), ""
    if request.confidence is not None:
        rounds = price_in_rounds(manager, request.half, estimation)
        price, most = sum((one.price for one in rounds), Price()), f" at most, in up to {len(rounds)} rounds"
    unreal = "" if where.hardware else " (what hardware would charge)"
    say(f"{request.run.folder.path}: {request.settings['images']} images on {where}, {manager.shots} shots")
    if regions := getattr(estimation, "words", ""):
        say(f"tiles    {regions}")
    say(f"price    {price}{most}{unreal}")
    if money is not None:
        say(f"money    {money(price.qpu_seconds)}")
    _say_the_other_way(manager, request.half.pub)
    if where.hardware:
        say(f"account  {account_left()}")
        _say_state(where)
    known = manager.known(estimation, request.settings) if request.confidence is None else None
    if known is None:
        manager.meter.check(price, f"This request on {where}")
    else:
        _say_known(manager, known)
    return known


def _send(request: _Request, store: str | None, max_qpu_seconds: float | None, here: bool) -> None:
    """Record the request as one job, and start the worker that sends it, or sample it `here` to its end."""
    from qiskit_hqnn.cli.jobs import add_to_run
    from qiskit_hqnn.jobs import ensure_worker

    manager, title = request.manager, f"{request.run.folder.path.name} test set"
    job = manager.submit(request.half.pub, title, request.settings, request.notes, max_qpu_seconds)
    assert manager.store is not None
    if here:
        say(f"job      {job[:10]}; after an interruption the same command resumes it")
        manager.wait(job)
        add_to_run(manager.store, manager.store.job(job))
        return
    ensure_worker(manager.store)
    if Where.parse(manager.where).hardware:
        _wait_until_sent(manager, job)
    say(f"job      {job[:10]}")
    say(f"next     hqnn jobs wait {job[:10]}{store_option(store)}")


def _say_plan(request: _Request, estimation: Planned) -> None:
    """Print what would be sent, with its rounds if there are any."""
    if request.confidence is not None:
        _say_rounds(request, estimation)
    say(str(estimation))


def _say_rounds(request: _Request, estimation: Planned) -> None:
    """Print the most that each round can cost; only outcomes determine how many images are open after one."""
    from qiskit_hqnn.training import price_in_rounds

    for number, one in enumerate(price_in_rounds(request.manager, request.half, estimation), start=1):
        say(
            f"round {number}  up to {request.settings['images']} images, {one.shots:,} shots more: {one.price}"
        )


def _in_rounds(request: _Request, confidence: float, full: Price) -> None:
    """Send a test set in rounds and wait for each: a round depends on the one before."""
    from qiskit_hqnn.cli.tables import print_results
    from qiskit_hqnn.training import submit_in_rounds

    run, manager = request.run, request.manager
    manager.said = say
    try:
        submit_in_rounds(run, manager, request.half, confidence, request.settings, request.notes, full, say)
    except KeyboardInterrupt:
        say("The rounds so far are kept: the same command resumes them.", err=True)
        raise
    print_results([(run.job.seeds[0], None, run.folder)])
    say(f"report   {run.folder.report}")


def _say_known(manager: JobManager, job: str) -> None:
    """Report that a request is in the store already, and how it continues if it ended without a result."""
    assert manager.store is not None
    state = manager.store.job(job).state
    ended = {"failed": "failed", "cancelled": "was cancelled", "paused": "is paused for lack of budget"}
    say(f"It was submitted before{f' and {ended[state]}' if state in ended else ''}: nothing new is sent.")
    if state in ended:
        more = " --max-qpu-seconds SECONDS" if state == "paused" else ""
        say(f"again    hqnn jobs retry {job[:10]}{more} sends what is missing, and is charged.")


def _say_the_other_way(manager: JobManager, pub: EstimatorPub) -> None:
    """Print the price with, or without, the device's fractional gates, if it has any."""
    from qiskit_hqnn.jobs import price_the_other_way

    other = price_the_other_way(manager, pub)
    if other is not None:
        way = "without fractional gates" if manager.device.fractional else "with --fractional"
        say(f"         {other} {way}")
    if manager.device.rule:
        say(f"gates    {manager.device.rule}")


def _say_state(where: str) -> None:
    """Report that a device accepts jobs but runs none now; the price is shown without it."""
    from qiskit_hqnn.errors import DeviceError
    from qiskit_hqnn.jobs.adapters.ibm import device_state

    with suppress(DeviceError):
        state = device_state(where)
        if state != "online":
            say(f"device   {where} is {state}: a job waits until it is back.")


def _wait_until_sent(manager: JobManager, job: str, seconds: float = 120.0) -> None:
    """Hardware: return when the job is in the device's queue, so that the machine may be switched off."""
    assert manager.store is not None
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        states = {chunk.state for chunk in manager.store.chunks(job)}
        if not states & {"waiting", "intent"}:
            return
        time.sleep(0.5)
    say("It is recorded, but has not reached the device yet; the worker keeps trying.", err=True)
