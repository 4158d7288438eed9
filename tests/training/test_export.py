"""Exported networks answer as the run does, without its folder; what they cannot be is one sentence."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from qiskit.circuit import ParameterVector, QuantumCircuit
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

import qiskit_hqnn
from qiskit_hqnn.circuits import (
    Ansatz,
    circuit_centric,
    hqnn_parallel,
    hqnn_quanv,
    reuploading,
    textbook,
    vqc_head,
)
from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import HQNNError, RunFolderError
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.training import Card, card_of, closed_form, plain_network, write_network, write_onnx
from qiskit_hqnn.training.export import ClosedForm, model_card


def one_qubit(angle):
    """⟨Z⟩ behind RY(angle(x, w))."""
    x, w = ParameterVector("x", 1), ParameterVector("w", 1)
    circuit = QuantumCircuit(1)
    circuit.ry(angle(x[0], w[0]), 0)
    return Ansatz.from_circuit(circuit, inputs="x*", weights="w*")


def test_one_rotation_is_a_cosine():
    layer = QuantumLayer(one_qubit(lambda x, w: 2 * x + w), initial_weights=[0.3])
    form = closed_form(layer)
    # ⟨Z⟩ = cos(2x + 0.3) = cos 0.3 cos 2x − sin 0.3 sin 2x
    expected = torch.tensor([0.0, np.cos(0.3), -np.sin(0.3)], dtype=torch.float32)
    torch.testing.assert_close(form.matrix.flatten(), expected, atol=1e-7, rtol=0)


@pytest.mark.parametrize(
    ("ansatz", "copies", "features"),
    [
        (hqnn_parallel(5, 3), 4, 3**5),
        (hqnn_quanv(), 1, 3**4),
        (vqc_head(), 3, 3**4),
        (textbook(), 1, 3),
        (reuploading(2, 4), 1, 5**3),  # uploaded twice
        (one_qubit(lambda x, w: x * w), 1, 3),  # a frequency that is trained
    ],
)
def test_a_closed_form_is_the_layer(ansatz, copies, features):
    layer = QuantumLayer(ansatz, copies).double()
    form = closed_form(layer)
    assert form.matrix.shape == (copies, features, ansatz.num_outputs)
    inputs = 3 * torch.randn(2, 7, copies * ansatz.num_inputs, dtype=torch.float64)
    torch.testing.assert_close(form(inputs), layer(inputs), atol=1e-9, rtol=0)


def test_frequencies_in_no_proportion_and_controlled_angles_are_exact():
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0], 0)
    circuit.ry(2.3 * x[0], 0)
    circuit.crx(x[1], 0, 1)
    circuit.rz(x[0] + x[1], 1)
    circuit.h(1)
    layer = QuantumLayer(Ansatz.from_circuit(circuit, inputs="x*")).double()
    form = closed_form(layer)
    # 0, 1, 1.3, 2.3, 3.3 of x0; 0, 1/2, 1 of x1; 0, 1 of their sum
    assert form.matrix.shape == (1, 9 * 5 * 3, 2)
    inputs = 3 * torch.randn(9, 2, dtype=torch.float64)
    torch.testing.assert_close(form(inputs), layer(inputs), atol=1e-9, rtol=0)


def test_a_closed_form_that_is_too_large_or_is_none_says_so():
    with pytest.raises(
        HQNNError, match=r"would have 3.93e\+60 features .* of 127 angles that follow from inputs"
    ):
        closed_form(QuantumLayer(circuit_centric(7, 2)))
    with pytest.raises(HQNNError, match="has an angle that is not a sum of its inputs"):
        closed_form(QuantumLayer(one_qubit(lambda x, w: x * x + w)))
    with pytest.raises(HQNNError, match="export it with one copy"):
        closed_form(QuantumLayer(one_qubit(lambda x, w: x * w), 2, initial_weights=[1.0, 2.0]))


@pytest.fixture(scope="module")
def exported(own_run, tmp_path_factory):
    run, _ = own_run
    return write_network(run, tmp_path_factory.mktemp("export") / "own.safetensors")


def test_an_exported_network_predicts_without_its_run(own_run, exported):
    run, pictures = own_run
    network = qiskit_hqnn.load(exported)
    torch.testing.assert_close(network.predict(pictures).probabilities, run.predict(pictures).probabilities)
    assert network.class_names == run.class_names
    assert network.card.results["exact"] == run.folder.read_metrics().test["exact"]
    assert not network.model.training
    assert repr(network).endswith(f"{100 * network.card.results['exact'].accuracy:.2f} % on exact)")


def test_a_card_has_no_folder_of_this_machine(own_run, exported):
    run, _ = own_run
    with safe_open(exported, framework="pt") as file:
        text = file.metadata()["qiskit_hqnn"]
    assert json.loads(text)["job"]["data"]["path"] == "pics"
    assert str(run.folder.path.parent) not in text


def test_files_that_are_no_export_are_one_sentence(exported, tmp_path):
    with pytest.raises(RunFolderError, match=r"There is no file .*gone"):
        qiskit_hqnn.load(tmp_path / "gone.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(exported.read_bytes()[:-20])
    with pytest.raises(RunFolderError, match=r"cut.safetensors is not a safetensors file"):
        qiskit_hqnn.load(tmp_path / "cut.safetensors")
    tensors = load_file(exported)
    save_file(tensors, tmp_path / "bare.safetensors")
    with pytest.raises(RunFolderError, match=r"bare.safetensors has no card"):
        qiskit_hqnn.load(tmp_path / "bare.safetensors")
    with safe_open(exported, framework="pt") as file:
        card = json.loads(file.metadata()["qiskit_hqnn"])

    def written(name, tensors, **changes):
        save_file(tensors, tmp_path / name, {"qiskit_hqnn": json.dumps(card | changes)})
        return tmp_path / name

    with pytest.raises(
        RunFolderError, match="has a card of version 'card/2', but this toolkit reads 'card/1'"
    ):
        qiskit_hqnn.load(written("later.safetensors", tensors, format="card/2"))
    with pytest.raises(RunFolderError, match="has a damaged card: network.model: Field required"):
        qiskit_hqnn.load(written("damaged.safetensors", tensors, network={}))
    fewer = {name: tensor for name, tensor in tensors.items() if "head" not in name}
    with pytest.raises(RunFolderError, match="belong to a different model"):
        qiskit_hqnn.load(written("fewer.safetensors", fewer))


def test_a_model_card_says_what_the_card_says(own_run):
    card = card_of(own_run[0])
    text = model_card(card.model_copy(update={"title": "<b> | *x*"}))
    front = text.split("---")[1]
    assert json.loads(front.split("model-index: ")[1])[0]["results"][0]["metrics"][0][
        "value"
    ] == pytest.approx(card.results["exact"].accuracy)
    assert "# &lt;b&gt; \\| \\*x\\*" in text
    assert "Its 3 classes: cat, dog, eel." in text
    assert f"| exact | {100 * card.results['exact'].accuracy:.2f} % |" in text


def test_a_card_stands_beside_the_run(own_run):
    run = own_run[0]
    card = Card.read((run.folder.path / "card.json").read_text(), run.folder.path)
    assert card == card_of(run)
    words = (run.folder.path / "card.md").read_text()
    assert "Its 3 classes: cat, dog, eel." in words
    assert str(run.folder.path.parent) not in words


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")
def test_plain_torch_goes_through_torch_export_and_trace(own_run):
    run, pictures = own_run
    network, images = plain_network(run), run.read(pictures)
    expected = run.predict(images).probabilities
    assert isinstance(network.network.quantum, ClosedForm)
    torch.testing.assert_close(network(images), expected, atol=1e-6, rtol=0)
    traced = torch.jit.trace(network, images[:2])
    torch.testing.assert_close(traced(images), expected, atol=1e-6, rtol=0)
    shapes = {"images": {0: torch.export.Dim("N")}}
    program = torch.export.export(network, (images,), dynamic_shapes=shapes).module()
    torch.testing.assert_close(program(images[:2]), expected[:2], atol=1e-6, rtol=0)


def test_onnx_agrees_under_onnxruntime(own_run, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    run, pictures = own_run
    assert write_onnx(run, tmp_path / "own.onnx") < 1e-6
    session = onnxruntime.InferenceSession(str(tmp_path / "own.onnx"), providers=["CPUExecutionProvider"])
    images = run.read(pictures)
    (answers,) = session.run(["probabilities"], {"images": images.numpy()})
    np.testing.assert_allclose(answers, run.predict(images).probabilities.numpy(), atol=1e-6)
    card = json.loads(session.get_modelmeta().custom_metadata_map["qiskit_hqnn"])
    assert card["network"]["class_names"] == ["cat", "dog", "eel"]


def test_networks_without_a_closed_form_are_refused_before_anything_is_written(own_run, tmp_path):
    run, _ = own_run
    wide = replace(run, model=_WithAmplitudes())
    with pytest.raises(HQNNError, match="export it as .safetensors instead"):
        write_onnx(wide, tmp_path / "wide.onnx")
    assert not list(tmp_path.iterdir())


class _WithAmplitudes(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.quantum = QuantumLayer(circuit_centric(4, 1))

    def encode(self, images):
        return images

    def decode(self, outputs):
        return outputs


def test_the_command_writes_what_it_is_asked_for(own_run, tmp_path):
    run, pictures = own_run
    folder = str(run.folder.path)
    answer = CliRunner().invoke(app, ["export", folder, "--to", str(tmp_path / "hub")])
    assert answer.exit_code == 0, answer.exception
    assert sorted(path.name for path in (tmp_path / "hub").iterdir()) == ["README.md", "model.safetensors"]
    file = str(tmp_path / "hub" / "model.safetensors")
    answers = [
        CliRunner().invoke(app, ["predict", where, str(pictures[0]), "--format", "csv"]).stdout
        for where in (file, folder)
    ]
    assert answers[0] == answers[1]
    for words, sentence in (
        ([folder, "--to", "x.pkl"], "must end in .safetensors, .onnx or .md"),
        ([folder, "--to", file], "exists; overwrite it with --force"),
        ([str(tmp_path), "--to", "x.onnx"], "is not a run folder"),
    ):
        error = CliRunner().invoke(app, ["export", *words]).exception
        assert isinstance(error, HQNNError)
        assert sentence in str(error)
