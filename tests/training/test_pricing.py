"""The price of a run, told before anything is sent and held along the way."""

import pytest
import torch

from qiskit_hqnn.errors import BudgetError, JobFileError, RunFolderError
from qiskit_hqnn.jobs import Spending, Store
from qiskit_hqnn.layers import SPSA
from qiskit_hqnn.training import RunFolder, find_job, read_job, run_job
from qiskit_hqnn.training.fitting import History
from qiskit_hqnn.training.measuring import run_test_set
from qiskit_hqnn.training.preparation import build_model, load_splits
from qiskit_hqnn.training.pricing import price_run, price_training
from qiskit_hqnn.training.spending import meters_of

SMALL = [
    "model.num_qubits=2", "model.depth=1", "model.copies=2", "train.epochs=2", "train.batch_size=8", "shots=50",
    "data.classes=[0,1]", "data.train_samples=24", "data.test_samples=12", "data.validation=4",
]  # fmt: skip


def job_of(*more):
    return read_job(find_job("quickstart"), [*SMALL, *more])


def price_of(job):
    splits = load_splits(job, "data")
    return price_run(job, build_model(job, splits), splits)


@pytest.mark.parametrize(
    ("gradient", "settings"),
    [("parameter-shift", []), ("spsa", []), ("spsa", ["spsa.repeats=3", "spsa.step=0.2"])],
)
def test_the_price_is_what_the_run_then_uses(tmp_path, gradient, settings):
    job = job_of("where='aer'", f"gradient='{gradient}'", "test=['exact', 'aer']", *settings)
    costs = price_of(job)
    metrics = run_job(job, tmp_path / "run", progress=False).metrics()
    total = price_training(costs, epochs=2)
    assert metrics["training"]["executions"] == total.executions
    assert metrics["training"]["qpu_seconds"] == pytest.approx(total.qpu_seconds, abs=0.1)
    assert metrics["test"]["aer"]["executions"] == costs["test on aer"].executions
    assert metrics["training"]["gradient"] == gradient
    if settings:
        assert (metrics["training"]["spsa_step"], metrics["training"]["spsa_repeats"]) == (0.2, 3)
        assert RunFolder(tmp_path / "run").read_job().spsa == job.spsa


def test_parameter_shift_costs_two_evaluations_an_angle_and_spsa_two_a_repeat():
    # 20 training images in batches of 8, 8, 4; a copy has 2 inputs and 6 weights, so 16 shifts and the plain value.
    shift, spsa, single = (
        price_of(job_of("where='aer'", *settings))
        for settings in (
            ["gradient='parameter-shift'"],
            ["gradient='spsa'"],
            ["gradient='spsa'", "spsa.repeats=1"],
        )
    )
    assert shift["epoch"].executions == 20 * 2 * (1 + 16) * 50
    assert spsa["epoch"].executions == 20 * 2 * (1 + 2 * SPSA().repeats) * 50
    assert single["epoch"].executions == 20 * 2 * (1 + 2) * 50
    assert shift["validation"].executions == 4 * 2 * 50
    assert shift["epoch"].jobs == 3


def test_pricing_alters_neither_the_model_nor_the_random_numbers():
    job = job_of("where='aer'", "gradient='spsa'")
    splits = load_splits(job, "data")
    model = build_model(job, splits)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(3)
    price_run(job, model, splits)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert drawn == torch.rand(1)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert model.quantum.neural_network.primitive is None


def test_a_run_over_its_budget_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(
        BudgetError, match=r"would cost .* QPU seconds, but max_qpu_seconds of the run is 5; nothing was sent"
    ):
        run_job(job_of("where='aer'", "max_qpu_seconds=5"), tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def folder_with(path, rows=(), blocks=None, training=(), tests=()):
    """A run folder with a log, result blocks, and stores in which jobs of such prices stand."""
    run = RunFolder(path)
    path.mkdir()
    if rows:
        run.write_history(
            [{"epoch": n, "executions": 100, "qpu_seconds": cost} for n, cost in enumerate(rows, 1)]
        )
    if blocks:
        run.add_metrics(test=blocks)
    for name, prices in (("jobs.db", training), ("tests.db", tests)):
        for number, price in enumerate(prices):
            store = Store(path / name)
            store.add_job(f"{number:064x}", "fake_fez", "", 1, 100, price, {}, None, [b"x"])
            store.close()
    return run


def test_a_run_counts_what_earlier_processes_have_spent_where_they_kept_it(tmp_path):
    # Aer keeps its log only; two epochs and one test set are done.
    aer = folder_with(tmp_path / "aer", [3.0, 3.5], {"aer": {"executions": 50, "qpu_seconds": 2.0}})
    meters = meters_of(aer, 20.0, resumed=True)
    assert meters.whole.spent == Spending(250, 8.5)
    assert meters.whole.left == 11.5
    assert meters.training.unlapped == Spending()
    # A third epoch had begun, one part of the second was paid twice, and a test set was killed: the stores know.
    kept = folder_with(
        tmp_path / "kept",
        [3.0, 5.5],
        {"exact": {}, "ibm_x": {"executions": 90, "qpu_seconds": 4.0, "job": "ab"}},
        training=[3.0, 5.5, 1.25],
        tests=[0.5],
    )
    meters = meters_of(kept, 20.0, resumed=True)
    assert meters.whole.spent == Spending(490, 14.25)
    assert meters.training.unlapped == Spending(100, 1.25)
    meters.training.spend(Spending(300, 2.0))
    assert meters.training.lap() == Spending(400, 3.25)
    assert meters.whole.spent.qpu_seconds == 16.25


def test_what_is_left_of_a_run_must_fit_what_is_left_of_its_budget(tmp_path):
    begun = folder_with(tmp_path / "run", [4.0], training=[4.0, 1.5])
    # 5.5 of 20 are spent, 1.5 of them for the epoch that was begun: that part of it is found in the store.
    meters_of(begun, 20.0, resumed=True).check(16.0)
    with pytest.raises(
        BudgetError, match=r"This run would cost 14\.6 QPU seconds, .* is 20, of which 5\.5 are spent"
    ):
        meters_of(begun, 20.0, resumed=True).check(16.1)


def test_shot_noise_is_repeatable(tmp_path):
    job = job_of("test=['aer']", "where='aer'", "gradient='spsa'")
    first, second = (run_job(job, tmp_path / name, progress=False).metrics() for name in ("a", "b"))
    assert first["test"]["aer"]["loss"] == second["test"]["aer"]["loss"]


def test_a_training_with_shots_goes_on_with_as_many(tmp_path):
    settings = ("test=['exact']", "where='aer'", "gradient='spsa'", "train.epochs=1")
    run_job(job_of(*settings), tmp_path / "run", progress=False)
    with pytest.raises(RunFolderError, match="belongs to a job with other settings"):
        run_job(job_of(*settings, "shots=60"), tmp_path / "run", progress=False, resume=True)


def test_a_look_at_a_few_images_does_not_replace_the_test_set(tmp_path):
    job = job_of("test=['exact']", "train.epochs=1")
    run = run_job(job, tmp_path / "run", progress=False)
    splits = load_splits(job, "data")
    model = build_model(job, splits)
    run.load_weights(model)
    run_test_set(run, job, model, splits, "exact", images=splits.test.subset(range(3)))
    blocks = run.metrics()["test"]
    assert blocks["exact"]["images"] == len(splits.test)
    assert blocks["exact-3-images"]["images"] == 3
    assert (run.path / "confusion-exact-3-images.png").exists()


def test_tensorboard_gets_the_epochs_or_is_named_as_missing(tmp_path, monkeypatch):
    job = job_of("test=['exact']", "train.tensorboard=true")
    monkeypatch.setattr("qiskit_hqnn.training.loggers.find_spec", lambda name: None)
    with pytest.raises(JobFileError, match="tensorboard is not installed"):
        run_job(job, tmp_path / "without", progress=False)
    monkeypatch.undo()
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = run_job(job, tmp_path / "with", progress=False)
    events = accumulator.EventAccumulator(str(run.path / "tensorboard")).Reload()
    logged = [event.value for event in events.Scalars("train_loss")]
    assert logged == pytest.approx([row["train_loss"] for row in run.history()], rel=1e-6)


def test_damaged_metrics_are_one_sentence(tmp_path):
    (tmp_path / "metrics.json").write_text("{")
    with pytest.raises(RunFolderError, match=r"metrics\.json is not valid JSON"):
        RunFolder(tmp_path).metrics()


@pytest.mark.slow
def test_a_run_killed_in_mid_epoch_pays_nothing_twice_and_ends_as_an_undisturbed_one(tmp_path, monkeypatch):
    job = job_of("test=['exact']", "where='fake_manila'", "gradient='spsa'")
    straight = run_job(job, tmp_path / "straight", progress=False)
    steps = []

    def killed(model, *_):
        steps.append(model)
        if len(steps) == 6:  # the last of three steps of the second epoch
            raise RuntimeError("killed")

    monkeypatch.setattr(History, "on_train_batch_start", killed)
    with pytest.raises(RuntimeError, match="killed"):
        run_job(job, tmp_path / "killed", progress=False)
    monkeypatch.undo()
    resumed = run_job(job, tmp_path / "killed", progress=False, resume=True)
    assert [row["epoch"] for row in resumed.history()] == [1, 2]
    for key in ("train_loss", "validation_loss", "executions", "qpu_seconds"):
        assert [row[key] for row in resumed.history()] == pytest.approx(
            [row[key] for row in straight.history()]
        )
    assert resumed.metrics()["training"] == straight.metrics()["training"]
    sent = [len(Store(run.path / "jobs.db").jobs()) for run in (straight, resumed)]
    assert sent == [8, 8]  # two epochs of three steps and one validation


def test_a_job_compiles_its_exact_layer_and_no_other():
    splits = load_splits(job_of("test=['exact']"), "data")
    assert build_model(job_of("test=['exact']", "train.compile=true"), splits).quantum.compiles
    assert not build_model(job_of("test=['exact']"), splits).quantum.compiles
    with pytest.raises(JobFileError, match="takes where = 'exact', but where is 'aer'"):
        build_model(job_of("where='aer'", "train.compile=true"), splits)
