"""Reports hold what a run has found, legibly, whatever the classes are called and however many there are."""

import json
import re
from pathlib import Path

import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.layers import QuantumLayer
from qiskit_hqnn.training import RunFolder, interval_words
from qiskit_hqnn.training.charts import Points, confusion_svg, mistakes, points_svg
from qiskit_hqnn.training.circuit_picture import CIRCUIT, keep_circuit, read_circuit
from qiskit_hqnn.training.examples import Examples, write_examples
from qiskit_hqnn.training.pictures import best_epoch
from qiskit_hqnn.training.report import write_report
from qiskit_hqnn.training.study import Mean, in_plain_words, mean_of, summarise


def numbers(svg, tag, attribute):
    return [float(value) for value in re.findall(rf'<{tag}[^>]*\s{attribute}="([-\d.]+)"', svg)]


@pytest.mark.parametrize("count", [2, 12, 13, 30, 31, 100])
def test_a_confusion_matrix_has_a_cell_of_its_own_size_for_every_count(count):
    confusion = torch.eye(count, dtype=torch.long) * 7
    confusion[0, 1] = 3
    svg = confusion_svg(confusion.tolist(), [f"class {label}" for label in range(count)])
    cells = re.findall(r"<title>", svg)
    assert len(cells) == count + 1
    assert "class 0 taken for class 1: 3 (30.0 %)" in svg
    sides = numbers(svg, "rect", "width")
    assert min(sides) >= 13  # a name of 9 px fits beside it
    assert (">7</text>" in svg) == (count <= 30)
    width = numbers(svg, "svg", "width")[0]
    assert max(x + side for x, side in zip(numbers(svg, "rect", "x"), sides, strict=True)) <= width


def test_a_run_folder_shows_its_results():
    run = RunFolder(Path(__file__).parents[1] / "fixtures/v0_1/runs/quickstart")
    accuracy = run.read_metrics().test["exact"].accuracy
    assert f": {100 * accuracy:.2f} % of " in str(run)
    assert "images on exact" in str(run)
    assert f"<td>exact</td><td>{100 * accuracy:.2f} %</td>" in run._repr_html_()


def test_an_untested_run_folder_says_so(tmp_path):
    assert str(RunFolder(tmp_path)).endswith("not tested yet")
    assert "not tested yet" in RunFolder(tmp_path / "<b>")._repr_html_()
    assert "<b>" not in RunFolder(tmp_path / "<b>")._repr_html_()


def test_names_from_outside_are_text():
    svg = confusion_svg([[1, 1], [0, 2]], ["<script>", "a" * 40])
    assert "<script>" not in svg
    assert "…" in svg
    assert mistakes([[1, 1], [0, 2]], ["x", "y"]) == [("x", "y", 1, 0.5)]


def test_a_studys_interval_ends_at_100_percent():
    mean = mean_of([0.99, 1.0, 0.97])
    assert mean.high > 1
    assert interval_words(mean) == f"{100 * mean.low:.2f} – 100.00 %"
    assert interval_words(mean_of([0.5])) == "–"
    svg = points_svg(
        [Points("network", {"0": 0.99, "1": 1.0}, 0.995, (0.9, 1.0)), Points("twin", {"0": 0.95}, 0.95, None)]
    )
    dots, (bar, *_) = (
        numbers(svg, "circle", "cx"),
        re.findall(r'<rect x="([\d.]+)" y="17" width="([\d.]+)"', svg),
    )
    assert dots[1] == pytest.approx(float(bar[0]) + float(bar[1]), abs=0.2)  # 100 % is where the bar ends
    assert dots[2] < dots[0] < dots[1]


@pytest.mark.parametrize(
    ("network", "twin", "words"),
    [
        (
            [0.9, 0.91, 0.92],
            [0.8, 0.81, 0.83],
            "more accurate than 'twin' .*: this is too much for chance alone",
        ),
        ([0.7, 0.9, 0.8], [0.9, 0.7, 0.83], "less accurate than 'twin' .*: this may be chance"),
        (
            [0.9],
            [0.8],
            "10.00 percentage points more accurate than 'twin': one seed cannot tell that from chance",
        ),
    ],
)
def test_a_comparison_says_in_plain_words_what_follows(network, twin, words):
    def metrics(accuracy):
        block = {"where": "exact", "images": 10, "accuracy": accuracy, "loss": 0.1, "macro_f1": 0.5}
        counts = {"classical": 1, "quantum": 1}
        return {
            "test": {"exact": block | {"confusion": [[5, 5], [1, 9]]}},
            "parameters": counts,
            "seconds": {"train": 1},
        }

    runs = [(seed, None, metrics(value)) for seed, value in enumerate(network)]
    runs += [(seed, "twin", metrics(value)) for seed, value in enumerate(twin)]
    (sentence,) = in_plain_words(summarise(runs))
    assert re.search(words, sentence)


def test_the_best_epoch_is_the_one_whose_weights_are_kept():
    rows = [
        {"epoch": 1, "validation_accuracy": 0.9, "validation_loss": 0.5},
        {"epoch": 2, "validation_accuracy": 1.0, "validation_loss": 0.4},
        {"epoch": 3, "validation_accuracy": 1.0, "validation_loss": 0.2},
        {"epoch": 4, "validation_accuracy": 0.8, "validation_loss": 0.1},
    ]
    assert best_epoch(rows)["epoch"] == 3
    assert best_epoch([{"epoch": 1, "train_loss": 1.0}]) is None


def test_examples_are_the_surest_mistakes_and_right_ones_of_many_classes(tmp_path):
    labels = torch.tensor([0, 0, 1, 1, 0])
    probabilities = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.1, 0.9]])
    write_examples(tmp_path / "e.json", "exact", torch.rand(5, 1, 4, 4), labels, probabilities)
    chosen = Examples.model_validate_json((tmp_path / "e.json").read_text())
    assert [example.index for example in chosen.wrong] == [4, 3]
    assert [example.index for example in chosen.right] == [0, 2, 1]
    assert chosen.wrong[0].of_label == pytest.approx(0.1)
    write_examples(tmp_path / "none.json", "exact", torch.rand(5, 8), labels, probabilities)
    assert not (tmp_path / "none.json").exists()


def test_a_report_is_one_page_with_circuit_epoch_examples_and_sizes(own_run):
    run, _ = own_run
    page = run.folder.report.read_text()
    assert page.count("<!doctype html>") == page.count("<title>own") + page.count("<title>HQNN") == 1
    assert "of 1: validation accuracy" in page
    assert "of 1×8×8" in page
    assert "with 2 qubits, depth" in page
    assert page.count('class="photo"') == sum(
        len(part) for name, part in json.loads(run.folder.examples_file.read_text()).items() if name != "name"
    )
    assert "prefers-color-scheme:dark" in page
    assert not re.search(r'src="(?!data:)', page)


def test_damaged_pictures_leave_the_numbers(own_run):
    run, _ = own_run
    kept = {path: path.read_bytes() for path in (run.folder.examples_file, run.folder.path / CIRCUIT)}
    try:
        run.folder.examples_file.write_text('{"name": "exact", "right": [], "wrong": [{"png": "<script>"}]}')
        (run.folder.path / CIRCUIT).write_text("{")
        page = write_report(run.folder, run.job).read_text()
        assert "<script>" not in page
        assert "<h2>Test set</h2>" in page
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def test_a_mean_of_one_has_no_interval():
    assert isinstance(mean_of([0.5]), Mean)
    assert mean_of([0.5]).count == 1


def test_equal_circuits_share_a_drawing_and_others_have_their_own(tmp_path):
    drawn = []
    for number, (name, angle) in enumerate([("x", 0.5), ("x", 0.5), ("x", 0.501), ("y", 0.5)]):
        circuit = QuantumCircuit(1)
        circuit.ry(Parameter(name), 0)
        circuit.rx(angle, 0)
        folder = tmp_path / str(number)
        folder.mkdir()
        network = torch.nn.Module()
        network.encode = network.decode = torch.nn.Identity()
        network.quantum = QuantumLayer(Ansatz.from_circuit(circuit, inputs=name))
        keep_circuit(folder, network)
        drawn.append(read_circuit(folder)["svg"])
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3
