"""[train] as people use it: losses, rates, schedules, clipping, early stopping, loggers, devices, callbacks."""

import pytest
import torch
from torch import nn

from qiskit_hqnn.errors import HQNNError, JobFileError
from qiskit_hqnn.models import HQNNParallel
from qiskit_hqnn.training import find_job, load_run, read_job, run_job
from qiskit_hqnn.training.classifier import Classifier
from qiskit_hqnn.training.job_sections import TrainSection
from qiskit_hqnn.training.loggers import _mlflow_store
from qiskit_hqnn.training.losses import Loss, balanced_weights, loss_of

TINY = [
    "model.num_qubits=2", "model.depth=1", "model.copies=1", "train.epochs=1", "data.train_samples=40",
    "data.test_samples=10", "data.classes=[0,1]", "test=['exact']",
]  # fmt: skip

OUTPUTS = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, -0.3]])
LABELS = torch.tensor([0, 2])


@pytest.mark.parametrize(
    ("loss", "reference", "outputs"),
    [
        (Loss(), nn.CrossEntropyLoss(), OUTPUTS),
        (
            Loss("cross-entropy", (1.0, 2.0, 3.0), 0.1),
            nn.CrossEntropyLoss(torch.tensor([1.0, 2.0, 3.0]), label_smoothing=0.1),
            OUTPUTS,
        ),
        (Loss("nll", (1.0, 2.0, 3.0)), nn.NLLLoss(torch.tensor([1.0, 2.0, 3.0])), OUTPUTS.log_softmax(dim=1)),
        (Loss("negative-probability"), nn.NLLLoss(), OUTPUTS.softmax(dim=1)),
    ],
)
def test_losses_of_labels_are_torchs(loss, reference, outputs):
    torch.testing.assert_close(loss(outputs, LABELS), reference(outputs, LABELS))


def test_losses_of_targets_are_torchs():
    targets = torch.eye(3)[LABELS]
    torch.testing.assert_close(Loss("mse")(OUTPUTS, LABELS), nn.MSELoss()(OUTPUTS, targets))
    reference = nn.BCEWithLogitsLoss(torch.tensor([1.0, 2.0, 3.0]))
    torch.testing.assert_close(Loss("bce", (1.0, 2.0, 3.0))(OUTPUTS, LABELS), reference(OUTPUTS, targets))
    smooth = nn.BCEWithLogitsLoss()(OUTPUTS, 0.7 * targets + 0.1)
    torch.testing.assert_close(Loss("bce", label_smoothing=0.3)(OUTPUTS, LABELS), smooth)


def test_outputs_are_probabilities_as_their_loss_says():
    probabilities = OUTPUTS.softmax(dim=1)
    torch.testing.assert_close(Loss().probabilities(OUTPUTS), probabilities)
    torch.testing.assert_close(Loss("nll").probabilities(probabilities.log()), probabilities)
    torch.testing.assert_close(Loss("negative-probability").probabilities(probabilities), probabilities)
    torch.testing.assert_close(Loss("bce").probabilities(OUTPUTS), OUTPUTS.sigmoid())
    for outputs in (OUTPUTS, torch.full((1, 3), -1.0)):
        shares = Loss("mse").probabilities(outputs)
        assert (shares >= 0).all()
        torch.testing.assert_close(shares.sum(dim=1), torch.ones(len(outputs)))


def test_balanced_weights_make_classes_alike():
    assert balanced_weights([10, 30]) == (2.0, pytest.approx(2 / 3))
    with pytest.raises(HQNNError, match="need an image of each class, but class 1 has none"):
        balanced_weights([10, 0])


def optimizer_of(**settings):
    torch.manual_seed(0)
    network = HQNNParallel(2, 1, 1, image_size=8)
    classifier = Classifier(network, TrainSection(**settings), total_steps=20, checkpoints=None)
    made = classifier.configure_optimizers()
    return network, (made["optimizer"], made["lr_scheduler"]) if isinstance(made, dict) else (made, None)


def test_quantum_weights_have_a_rate_of_their_own():
    network, (optimizer, _) = optimizer_of(quantum_learning_rate=0.5, optimizer="sgd", momentum=0.8)
    classical, quantum = optimizer.param_groups
    assert [id(parameter) for parameter in quantum["params"]] == [id(network.quantum.weight)]
    assert (classical["lr"], quantum["lr"]) == (1e-3, 0.5)
    assert classical["momentum"] == quantum["momentum"] == 0.8
    total = sum(len(group["params"]) for group in optimizer.param_groups)
    assert total == len(list(network.parameters()))


@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({"schedule": "step", "schedule_epochs": 2, "schedule_factor": 0.5}, [1.0, 1.0, 0.5, 0.5, 0.25]),
        ({"schedule": "exponential", "schedule_factor": 0.5}, [1.0, 0.5, 0.25, 0.125, 0.0625]),
    ],
)
def test_schedules_by_epoch(settings, rates):
    _, (optimizer, how) = optimizer_of(learning_rate=1.0, optimizer="sgd", **settings)
    assert how["interval"] == "epoch"
    found = []
    for _ in rates:
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        how["scheduler"].step()
    assert found == pytest.approx(rates)


def test_a_schedule_over_all_steps_has_both_rates():
    _, (optimizer, how) = optimizer_of(schedule="one-cycle", learning_rate=0.1, quantum_learning_rate=0.4)
    assert how["interval"] == "step"
    assert [group["max_lr"] for group in optimizer.param_groups] == [0.1, 0.4]
    _, (_, how) = optimizer_of(schedule="plateau")
    assert how["monitor"] == "validation_loss"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One training with everything that does not exclude another."""
    from lightning.pytorch.callbacks import Callback  # most of the tests' processes need none

    class Norms(Callback):
        """The largest gradient's norm behind clipping, and the epochs that were seen."""

        def __init__(self):
            self.largest, self.epochs = 0.0, 0

        def on_before_zero_grad(self, trainer, pl_module, optimizer):
            gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
            if gradients:
                norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
                self.largest = max(self.largest, float(norm))

        def on_train_epoch_end(self, trainer, pl_module):
            self.epochs += 1

    job = read_job(
        find_job("quickstart"),
        [*TINY, "train.epochs=4", "train.gradient_clipping=0.01", "train.class_weights='balanced'",
         "train.label_smoothing=0.1", "train.quantum_learning_rate=0.1", "train.schedule='plateau'",
         "train.loggers=['csv']", "train.device='cpu'", "train.early_stopping=1",
         "train.early_stopping_metric='validation_accuracy'", "train.learning_rate=1e-9"],
    )  # fmt: skip
    norms = Norms()
    folder = run_job(job, tmp_path_factory.mktemp("run") / "run", callbacks=[norms])
    return folder, norms


def test_a_training_does_as_it_is_told(run):
    folder, norms = run
    assert 0 < norms.largest <= 0.01 * (1 + 1e-4)
    assert norms.epochs == 2  # no better accuracy after the first epoch
    assert folder.read_metrics().training.device == "cpu"
    assert (folder.path / "lightning" / "metrics.csv").read_text().count("\n") == 3
    loaded = load_run(folder.path)
    loss = loss_of(loaded.model)
    counts = loaded.splits.train.labels.bincount().tolist()
    assert loss == Loss("cross-entropy", balanced_weights(counts), 0.1)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["train.momentum=0.9"], "train.momentum goes with optimizer = 'sgd', but it is 'adam'"),
        (["train.loss='mse'", "train.class_weights='balanced'"], "train.class_weights goes with loss = .* it is 'mse'"),
        (["train.schedule_epochs=3"], "goes with schedule = 'step', 'plateau', but it is 'cosine'"),
        (["train.early_stopping_metric='validation_loss'"], "takes effect with train.early_stopping only"),
        (["train.device='gpu'"], "train.device is 'gpu': must be 'auto', 'cpu', 'cuda' or 'mps'"),
        (["train.loggers=['tensorbord']"], "train.loggers is 'tensorbord': must be 'csv'"),
    ],
)  # fmt: skip
def test_settings_that_do_not_go_together_are_one_sentence(settings, sentence):
    with pytest.raises(JobFileError, match=sentence):
        read_job(find_job("quickstart"), settings)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["train.class_weights=[1.0, 2.0, 3.0]"], "train.class_weights must be 2 numbers, .* but are 3"),
        (
            ["train.schedule='plateau'", "data.validation=0"],
            "watches the validation loss, but there are no such",
        ),
        (["train.device='mps'"], "train.device is 'mps', but torch finds no such device here; it has cpu"),
    ],
)
def test_settings_that_do_not_fit_the_data_or_the_machine_are_one_sentence(settings, sentence, tmp_path):
    with pytest.raises(HQNNError, match=sentence):
        run_job(read_job(find_job("quickstart"), [*TINY, *settings]), tmp_path / "run")


def test_a_logger_that_is_not_installed_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("qiskit_hqnn.training.loggers.find_spec", lambda _: None)
    with pytest.raises(
        JobFileError, match="names 'mlflow', but the package mlflow is not installed: pip install"
    ):
        run_job(read_job(find_job("quickstart"), [*TINY, "train.loggers=['mlflow']"]), tmp_path / "run")


def test_each_run_has_an_mlflow_store_of_its_own_unless_the_user_names_one(tmp_path, monkeypatch):
    """MLflow sets its own variable to the store that it was given last."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for seed in ("seed-0", "seed-1"):
        store = _mlflow_store(tmp_path / seed)
        assert store == f"sqlite:///{tmp_path / seed / 'mlflow.db'}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.lab")
    assert _mlflow_store(tmp_path / "seed-2") == "http://mlflow.lab"
