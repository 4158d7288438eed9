"""A user's own circuit and own network by job file: trained, and everything done with the run without their files."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import CircuitError, HQNNError, JobFileError, RunFolderError
from qiskit_hqnn.layers import QuantumLayer, SamplerLayer
from qiskit_hqnn.training import RunFolder, load_run, read_job, run_job
from qiskit_hqnn.training.own_circuits import KeptCircuit, check_circuit
from qiskit_hqnn.training.preparation import build_model, load_splits

CIRCUIT = """OPENQASM 3.0;
include "stdgates.inc";
input float x0;
input float x1;
input float w0;
input float w1;
qubit[2] q;
ry(x0) q[0];
ry(x1) q[1];
rx(w0) q[0];
rx(w1) q[1];
cx q[0], q[1];
"""
JOB = """
title = "own"
[model]
name = "hybrid"
encoder = {name = "cnn", channels = [4]}
ansatz = "own.qasm"
inputs = "x*"
weights = "w*"
[data]
name = "folder"
path = "pics"
image_size = 8
[train]
epochs = 1
batch_size = 8
"""
NETWORK = """
from torch import nn
from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.layers import QuantumLayer

class Network(nn.Module):
    def __init__(self, features, classes, qubits=2):
        super().__init__()
        self.before = nn.Sequential(nn.Flatten(), nn.Linear(features, qubits))
        self.quantum = QuantumLayer(hqnn_parallel(qubits, 1))
        self.after = nn.Linear(qubits, classes)
    def encode(self, images):
        return self.before(images)
    def decode(self, outputs):
        return self.after(outputs)
    def forward(self, images):
        return self.decode(self.quantum(self.encode(images)))

def chain(features, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(features, 2), QuantumLayer(hqnn_parallel(2, 1)), nn.Linear(2, classes))

def dense(features, classes):
    return nn.Linear(features, classes)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with pictures of two classes, a circuit, a job file and a network in Python."""
    folder = tmp_path_factory.mktemp("own")
    generator = np.random.default_rng(0)
    for label in ("bars", "rows"):
        (folder / "pics" / label).mkdir(parents=True)
        for number in range(10):
            picture = generator.integers(0, 60, (8, 8)).astype(np.uint8)
            picture[(slice(None), slice(0, None, 3)) if label == "bars" else slice(0, None, 3)] += 180
            Image.fromarray(picture).save(folder / "pics" / label / f"{number}.png")
    (folder / "own.qasm").write_text(CIRCUIT)
    (folder / "own.toml").write_text(JOB)
    (folder / "mine.py").write_text(NETWORK)
    return folder


@pytest.fixture(scope="module")
def trained(home):
    """A run whose circuit file is gone."""
    (home / "gone.qasm").write_text(CIRCUIT)
    job = read_job(home / "own.toml", [f"model.ansatz='{home}/gone.qasm'"])
    run = run_job(job, home / "runs" / "own")
    (home / "gone.qasm").unlink()
    return run


def hqnn(*words):
    answer = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "140", "NO_COLOR": "1"})
    assert answer.exit_code == 0, answer.output or answer.exception
    return answer.output


def built(home, *settings):
    job = read_job(home / "own.toml", settings).single(0, None)
    return build_model(job, load_splits(job, home))


def test_an_own_run_is_evaluated_submitted_inspected_analysed_and_reported(trained, tmp_path):
    assert "aer" in hqnn("evaluate", trained.path, "--where", "aer", "--shots", 50)
    priced = hqnn("submit", trained.path, "--where", "aer", "--dry-run", "--store", tmp_path / "jobs.db")
    assert "4 sets of values" in priced
    seen = hqnn("inspect", trained.path, "--where", "fake_fez", "--images", 2, "--seeds", 1, "--levels", "1")
    assert "of 2 images keep their class" in seen
    assert "quantum" in hqnn("analyse", trained.path, "--kind", "gradient-norms", "--out", tmp_path / "of")
    assert "own" in trained.report.read_text()
    assert 'ansatz = "circuit.qpy"' in trained.job_file.read_text()  # the folder may be moved


def test_a_run_repeats_from_its_own_folder(trained, home):
    again = run_job(read_job(trained.job_file), home / "runs" / "again")
    assert again.metrics()["test"]["exact"]["loss"] == trained.metrics()["test"]["exact"]["loss"]
    run_job(read_job(trained.job_file), trained.path, resume=True)  # finished, and the same circuit
    other = read_job(trained.job_file, ["model.observables='X*'"])
    with pytest.raises(RunFolderError, match="belongs to a job with other settings .model.content"):
        run_job(other, trained.path, resume=True)


@pytest.mark.parametrize(
    "model", ["name='{home}/evil.py:Network'", "name='hybrid', ansatz='{home}/evil.py:circuit'"]
)
def test_loading_a_folder_runs_no_python_that_its_job_file_names(home, model):
    (home / "evil.py").write_text("raise SystemExit('this was run')")
    job = read_job(home / "own.toml", ["model={" + model.format(home=home) + "}"])
    folder = RunFolder(home / "runs" / f"evil-{len(model)}")
    folder.write_job(job)
    with pytest.raises(RunFolderError, match=r"has no network\.json, without which .* cannot be loaded"):
        load_run(folder.path)


def test_a_kept_circuit_is_the_circuit():
    ansatz = hqnn_parallel(3, 2)
    kept = KeptCircuit.from_ansatz(ansatz)
    again = kept.ansatz()
    assert [p.name for p in again.weight_params] == [p.name for p in ansatz.weight_params]
    assert again.observables == ansatz.observables
    assert (
        kept.digest()
        == KeptCircuit.from_ansatz(hqnn_parallel(3, 2)).digest()
        != KeptCircuit.from_ansatz(hqnn_parallel(3, 1)).digest()
    )
    layer = QuantumLayer(ansatz)
    same = QuantumLayer(again, initial_weights=layer.weight.detach())
    inputs = torch.rand(4, 3)
    torch.testing.assert_close(same(inputs), layer(inputs))
    with pytest.raises(RunFolderError, match="circuit that the run keeps is damaged"):
        kept.model_copy(update={"qpy": "AAAA"}).ansatz()


def test_parts_of_a_network_by_their_words(home):
    published = ["model.ansatz='hqnn-parallel'", "model.options.num_qubits=2", "model.options.depth=1"]
    published += ["model.inputs=", "model.weights="]
    model = built(home, *published, "model.layer='sampler'", "model.interpret='parity'", "model.copies=2")
    assert isinstance(model.quantum, SamplerLayer)
    assert model.head[-1].in_features == 4
    model = built(
        home, *published, "model.encoder='none'", "model.copies=32", "model.scaling='pi'", "model.head=[3]"
    )
    images = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(model.encode(images), torch.pi * images.flatten(1))
    for word, angles in (("tanh", lambda x: x.tanh() * torch.pi), ("arctan", torch.arctan)):
        model = built(home, *published, "model.encoder='flatten'", f"model.scaling='{word}'").eval()
        torch.testing.assert_close(model.encode(images), angles(model.encoder(images)))
    frozen = built(home, "model.encoder={name='resnet18', freeze=true}", *published).train()
    assert not any(parameter.requires_grad for parameter in frozen.encoder[0].parameters())
    assert not frozen.encoder[0].network.bn1.training
    assert frozen(images).shape == (2, 2)


@pytest.mark.parametrize("control", ["twin", "left-out", "frozen", "no-entanglement", "matched-dense"])
def test_controls_follow_from_the_network(home, control):
    job = read_job(home / "own.toml", [f"controls=['{control}']"])
    splits = load_splits(job, home)
    model = build_model(job.single(0, control), splits)
    assert model(torch.rand(2, 1, 8, 8)).shape == (2, 2)
    quantum = isinstance(model.quantum, QuantumLayer)
    assert quantum == (control in ("frozen", "no-entanglement"))
    if control == "frozen":
        assert not model.quantum.weight.requires_grad
    if control == "no-entanglement":
        assert "cx" not in model.quantum.ansatz.circuit.count_ops()
    if control == "matched-dense":
        assert sum(parameter.numel() for parameter in model.quantum.parameters()) == 2 + 2 * 1 + 2


def test_a_network_in_python_runs_by_its_users_word_alone(home):
    job = read_job(home / "own.toml", [f"model={{name='{home}/mine.py:Network'}}"])
    run = run_job(job, home / "runs" / "python")
    (home / "mine.py").rename(home / "moved.py")
    with pytest.raises(RunFolderError, match=r"mine\.py:Network, which loading a run does not run"):
        load_run(run.path)
    again = load_run(run.path, network=f"{run.path}/network.py:Network")
    images = torch.rand(3, 1, 8, 8)
    assert len(again.predict(images).names) == 3
    hqnn("--network", f"{run.path}/network.py:Network", "evaluate", run.path, "--where", "aer", "--subset", 1)
    (home / "moved.py").write_text(NETWORK.replace("qubits=2", "qubits=3"))
    with pytest.raises(
        RunFolderError, match="was trained as mine.py:Network, but moved.py:Network has another text"
    ):
        load_run(run.path, network=f"{home}/moved.py:Network")
    (home / "moved.py").write_text(NETWORK)
    (home / "moved.py").rename(home / "mine.py")


def test_chains_and_controls_of_networks_in_python(home):
    for name, control in (("chain", "twin"), ("Network", "matched-dense"), ("Network", "no-entanglement")):
        job = read_job(home / "own.toml", [f"model={{name='{home}/mine.py:{name}'}}"]).single(0, control)
        model = build_model(job, load_splits(job, home))
        assert isinstance(model.quantum, QuantumLayer) == (control == "no-entanglement")
        assert model(torch.rand(2, 1, 8, 8)).shape == (2, 2)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["model.encodr='cnn'"], "unknown key 'model.encodr'; .*did you mean 'encoder'"),
        (["model.encoder='cnnn'"], "model.encoder must be one of .* but is 'cnnn'; did you mean 'cnn'"),
        (
            ["model.encoder={name='cnn', freeze=true}"],
            "model.encoder.freeze belongs to a network of torchvision",
        ),
        (
            ["model.encoder={name='cnn', chanels=[3]}"],
            r"unknown key 'model.encoder.chanels'; \[model.encoder\] takes "
            "name, channels, kernel, weights, freeze; did you mean 'channels'",
        ),
        (["model.head=['x']"], r"model.head is \['x'\]: must be 'linear', 'none', or widths of dense layers"),
        (["model.copies=0"], "model.copies is 0: must be at least 1"),
        (["model.control='twinn'"], "model.control is 'twinn': must be 'twin'"),
        (["model.name='hybird'"], "Model must be one of .* but is 'hybird'; did you mean 'hybrid'"),
        (["controls=['twinn']"], "controls: Control of 'hybrid' must be one of .* but is 'twinn'"),
    ],
)
def test_slips_in_a_job_are_reported_when_it_is_read(home, settings, sentence):
    with pytest.raises(JobFileError, match=sentence):
        read_job(home / "own.toml", settings)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["model.inputs='y*'"], "Pattern 'y\\*' in `inputs` matches no parameter of .*own.qasm"),
        (["model.inputs='*'"], "'w0' is matched twice by `inputs` \\('\\*'\\) and `weights` \\('w\\*'\\)"),
        (["model.ansatz='hqnn-paralel'"], "Ansatz must be one of .* did you mean 'hqnn-parallel'"),
        (["model.observables='Z7'"], "must be on the qubits 0 to 1 of the circuit, but is on 7"),
    ],
)
def test_patterns_that_do_not_fit_the_circuit_are_one_sentence(home, settings, sentence):
    with pytest.raises(CircuitError, match=sentence):
        check_circuit(read_job(home / "own.toml", settings))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            ["model.inputs=", "model.weights='*'"],
            "needs inputs, but circuit 'own' has none: all of its 4 parameters",
        ),
        (
            ["model.encoder='none'"],
            "takes the sample itself, 64 numbers .* but the quantum layer has 2 inputs",
        ),
        (
            ["model.encoder={name='cnn', channels=[2,2,2,2]}"],
            "halves an image 4 times, which leaves nothing of 8×8",
        ),
        (["model.head='none'", "model.copies=2"], "there are 4 outputs and 2 classes"),
        (["model.interpret='parity'"], "`interpret` needs layer = 'sampler'"),
        (["model.encoder={name='resnet18', weights='NONE'}"], "Weights of encoder 'resnet18' must be one of"),
    ],
)
def test_parts_that_do_not_fit_together_are_one_sentence(home, settings, sentence):
    with pytest.raises(HQNNError, match=sentence):
        built(home, *settings)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("mine.py:Netwrk", "There is no function 'Netwrk' in"),
        ("mine.py:dense", r"mine\.py:dense cannot be used: .* but Linear has no encode, quantum, decode"),
    ],
)
def test_python_that_is_no_network_is_one_sentence(home, model, sentence):
    with pytest.raises(HQNNError, match=sentence):
        built(home, f"model={{name='{home}/{model}'}}")
    with pytest.raises(JobFileError, match="takes .features, classes, qubits=2., but is given .*widht"):
        built(home, f"model={{name='{home}/mine.py:Network', widht=2}}")


def test_published_options_and_backbones_are_those_of_their_classes():
    import inspect

    from torchvision.models import list_models

    from qiskit_hqnn.models import BACKBONES, KINDS, MODELS

    assert {name: set(kinds) for name, kinds in KINDS.items()} == {
        name: set(inspect.signature(kind).parameters) for name, kind in MODELS.items()
    }
    assert set(BACKBONES) <= set(list_models())


def test_slips_are_reported_before_torch_and_qiskit_are_loaded():
    program = (
        "import sys\nfrom qiskit_hqnn.training import find_job, read_job\n"
        "for slip in ('model.name=\"x\"', 'model.dept=3', 'controls=[\"x\"]', 'train.momentum=0.5'):\n"
        "    try: read_job(find_job('quickstart'), [slip])\n"
        "    except ValueError: continue\n"
        "    raise SystemExit(slip)\n"
        "print(sorted({'torch', 'qiskit'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout == "[]\n", answer.stderr
