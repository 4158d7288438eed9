"""`hqnn inspect` as a user types it: what it prints and writes, and one sentence for everything that cannot be."""

import json
import sys

import pytest
from qiskit import QuantumCircuit, qasm3, qpy

from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.cli.app import main
from qiskit_hqnn.inspection import inspect as inspect_circuit
from qiskit_hqnn.inspection import inspecting, read_ansatz
from tests.cli.test_commands import SMALL

QUICK = ("--where", "fake_manila", "--seeds", "1", "--levels", "1")


@pytest.fixture
def hqnn(monkeypatch, capsys):
    """Run the command in this process: exit code, standard output, standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hqnn", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capsys.readouterr()
        return exit_.value.code or 0, out, err

    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run folder of one epoch, with two copies of two qubits."""
    place = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(sys, "argv", ["hqnn", "run", "quickstart", *SMALL, "--set", "model.copies=2"])
        with pytest.raises(SystemExit) as exit_:
            main()
    assert not exit_.value.code
    return place / "runs" / "quickstart"


def refused(answer):
    """The one sentence of a refusal."""
    code, out, err = answer
    assert code == 2
    assert not out
    assert "Traceback" not in err
    (sentence,) = err.strip().splitlines()
    assert sentence.startswith("hqnn: ")
    assert sentence[-1] in ".?"
    return sentence.removeprefix("hqnn: ")


def test_the_table_has_swaps_idle_time_and_a_mark(hqnn):
    code, out, _ = hqnn("inspect", "hqnn-quanv", "--where", "fake_manila", "--seeds", 2)
    assert code == 0
    heading = " ".join(out.splitlines()[:2])
    for word in ("success", "swaps", "idle", "QPU s"):
        assert word in heading
    rows = [line for line in out.splitlines() if line.startswith("fake_manila")]
    assert sum("✓" in row for row in rows) == 1
    assert "Every ISA circuit computes the ansatz" in out
    assert "expected failures" in out


def keys_of(value):
    """The shape of a JSON value: its keys all the way down; lists by their first element."""
    if isinstance(value, dict):
        return {key: keys_of(inner) for key, inner in value.items()}
    return [keys_of(value[0])] if isinstance(value, list) and value else type(value).__name__


def test_json_holds_proof_budget_and_verdict_in_one_shape_for_runs_and_ansaetze(hqnn, trained, tmp_path):
    code, out, _ = hqnn("inspect", "hqnn-parallel", "--num-qubits", 2, "--depth", 1, *QUICK, "--json")
    assert code == 0
    ansatz = json.loads(out)
    code, out, _ = hqnn("inspect", trained, *QUICK, "--images", 2, "--shots", 100, "--json")
    assert code == 0
    run = json.loads(out)
    for answer in (ansatz, run):
        (part,) = answer["devices"]
        assert part["proof"]["equivalent"] is True
        assert 0 <= part["proof"]["largest_difference"] < part["proof"]["tolerance"]
        assert set(part["best"]["error_budget"]) == {"one-qubit gates", "two-qubit gates", "readout", "idle"}
        assert part["best"]["error_budget"]["readout"] > 0
        assert "fake_manila" in answer["verdict"]
        assert answer["table"][0]["qpu_seconds"] > 2
    assert ansatz["predictions"] == []
    (prediction,) = run.pop("predictions")
    assert len(prediction["images"]) == 2
    ansatz.pop("predictions")
    assert keys_of(run) == keys_of(ansatz)
    assert run["price_for"]["circuits"] == 2
    assert run["ansatz"]["weights"] == 0
    assert ansatz["ansatz"]["weights"] == 6


def test_a_runs_price_is_that_of_all_its_copies(hqnn, trained):
    _, out, _ = hqnn("inspect", trained, *QUICK, "--images", 1, "--samples", 10, "--shots", 100, "--json")
    assert json.loads(out)["table"][0]["executions"] == 10 * 2 * 100


def test_the_weights_are_those_of_the_copy(hqnn, trained, tmp_path):
    written = []
    for copy in (0, 1):
        folder = tmp_path / str(copy)
        answer = hqnn("inspect", trained, *QUICK, "--images", 1, "--copy", copy, "--export", folder)
        assert answer[0] == 0
        (path,) = folder.glob("*.qpy")
        with path.open("rb") as file:
            (circuit,) = qpy.load(file)
        assert {parameter.name for parameter in circuit.parameters} == {
            "x[0]",
            "x[1]",
        }  # the inputs stay open
        written.append(circuit)
    assert written[0] != written[1]
    assert (
        refused(hqnn("inspect", trained, *QUICK, "--copy", 2))
        == "Argument `copy` must be from 0 to 1, but is 2."
    )


@pytest.mark.slow
def test_the_page_and_the_circuits_are_written(hqnn, tmp_path):
    page, folder, pictures = tmp_path / "page.html", tmp_path / "isa", tmp_path / "pictures"
    answer = hqnn(
        "inspect", "vqc-head", *QUICK, "--html", page, "--export", folder, "--png", pictures, "--json"
    )
    assert answer[0] == 0
    assert json.loads(answer[1])["ansatz"]["name"] == "vqc-head"  # paths go to standard error
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert "http" not in text.replace("https://arxiv.org", "")  # nothing is fetched
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
    assert {path.name for path in pictures.iterdir()} == {
        "expected-success-over-seeds.png", "expected-failures-by-cause.png", "fake_manila-layout.png",
        "fake_manila-timeline.png", "logical-circuit.png", "fake_manila-ISA-circuit.png",
    }  # fmt: skip
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures.iterdir())
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["vqc-head-fake_manila.qasm", "vqc-head-fake_manila.qpy"]
    for name in names:
        read = read_ansatz(folder / name)
        assert read.num_weights == 4  # four inputs stay open


@pytest.mark.parametrize("suffix", [".qpy", ".qasm"])
def test_files_are_inspected(hqnn, tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    circuit = hqnn_parallel(2, 1).circuit
    if suffix == ".qpy":
        with path.open("wb") as file:
            qpy.dump(circuit, file)
    else:
        path.write_text(qasm3.dumps(circuit))
    code, out, _ = hqnn("inspect", path, *QUICK, "--json")
    assert code == 0
    assert json.loads(out)["ansatz"]["name"] == "mine"


def test_an_old_qpy_format_is_read_and_an_unknown_one_is_one_sentence(hqnn, tmp_path):
    path = tmp_path / "old.qpy"
    with path.open("wb") as file:
        qpy.dump(hqnn_parallel(2, 1).circuit, file, version=qpy.QPY_COMPATIBILITY_VERSION)
    assert hqnn("inspect", path, *QUICK)[0] == 0
    content = bytearray(path.read_bytes())
    assert content[:6] == b"QISKIT"
    content[6] = 99
    path.write_bytes(content)
    sentence = refused(hqnn("inspect", path, *QUICK))
    assert "cannot be read as QPY" in sentence
    assert "99" in sentence


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "A circuit file must be QPY, OpenQASM 2"),
        (b"\xff\xfe\x00", "A circuit file must be QPY, OpenQASM 2"),
        (b"QISKIT", "cannot be read as QPY: "),
        (b"QISKIT\x0d but not really \x00\x01", "cannot be read as QPY: "),
        (b"OPENQASM 2.0;\nqreg", "cannot be read as OpenQASM 2: line 2"),
        (b"OPENQASM 3.0;\nqubit", "line 2 cannot be read as OpenQASM 3: "),
    ],
)
@pytest.mark.parametrize("suffix", [".qpy", ".qasm"])
def test_an_unreadable_file_is_one_sentence(hqnn, tmp_path, suffix, content, sentence):
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(content)
    answer = refused(hqnn("inspect", path, *QUICK))
    assert sentence in answer
    assert str(path) in answer


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["runs/nothing"], "There is no run folder or circuit file runs/nothing."),
        (["nothing.qpy"], "There is no circuit file nothing.qpy."),
        (["."], ". is not a run folder: it has no job.toml."),
        (["hqnn-paralel"], "did you mean 'hqnn-parallel'?"),
        (["hqnn-parallel", "--num-qubits", "6"], "needs 6 connected qubits, but fake_manila has 5."),
        (["hqnn-parallel", "--num-qubits", "0"], "but is 0"),
        (["textbook", "--depth", "2"], "Ansatz 'textbook' takes"),
        (["textbook", "--levels", "4"], "Optimisation levels must be from 0 to 3, but are [4]."),
        (["textbook", "--levels", "high"], "Option --levels must be numbers such as 2,3, but is 'high'."),
        (["textbook", "--where", "fake_feez"], "There is no snapshot 'fake_feez'"),
        (["textbook", "--where", "exact"], "A device must be"),
        (
            ["textbook", "--where", "aer"],
            "'aer' takes any gate and makes no error: there is nothing to inspect.",
        ),
        (
            ["textbook", "--seeds", "0"],
            "Seeds, samples and shots must be at least 1, but are 0, 100 and 1000.",
        ),
        (["textbook", "--copies", "0"], "Argument `copies` must be at least 1, but is 0."),
        (["textbook", "--copy", "1"], "Argument `copy` belongs to a run folder."),
        (["textbook", "--html", "nowhere/page.html"], "there is no folder nowhere."),
        (["textbook", "--html", "."], ". is a folder."),
        (["textbook", "--png", "a-file"], "Option --png must be a folder, but a-file is a file."),
        (["textbook", "--export", "a-file"], "Option --export must be a folder, but a-file is a file."),
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_one_sentence(hqnn, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").write_text("")
    options = [option for option in zip(QUICK[::2], QUICK[1::2], strict=True) if option[0] not in arguments]
    answer = hqnn("inspect", *arguments, *(word for option in options for word in option))
    assert sentence in refused(answer)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--num-qubits", "2"], "Argument `num_qubits` belongs to an ansatz by name, but"),
        (["--copies", "2"], "Argument `copies` belongs to a circuit, while a run has its own, but"),
        (["--images", "0"], "Argument `images` must be from 1 to 20, but is 0."),
        (["--standard-error", "0"], "Argument `standard_error` must be positive, but is 0."),
    ],
    ids=" ".join,
)
def test_what_a_run_has_no_use_for_is_one_sentence(hqnn, trained, options, sentence):
    assert sentence in refused(hqnn("inspect", trained, *QUICK, *options))


def test_fractional_gates_are_an_option_whose_other_side_is_shown(hqnn):
    where = ("--where", "fake_fractional", "--seeds", "1", "--levels", "1")
    for option, words, other in (
        ((), "are left out. With them: expected success", "are used"),
        (
            ("--fractional",),
            "are used; every rzz angle is folded into [0, π/2]. Without them:",
            "are left out",
        ),
    ):
        code, out, _ = hqnn("inspect", "textbook", *where, *option)
        assert code == 0
        assert words in " ".join(out.split())
        assert other not in out
    code, out, _ = hqnn("inspect", "textbook", *where, "--json")
    assert "QPU seconds in place of" in json.loads(out)["devices"][0]["fractional"]
    assert refused(hqnn("inspect", "textbook", *QUICK, "--fractional")).endswith("but fake_manila has none.")


def test_a_circuit_that_measures_in_the_middle_is_one_sentence(hqnn, tmp_path):
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    circuit.h(0)
    path = tmp_path / "middle.qasm"
    path.write_text(qasm3.dumps(circuit))
    assert "measures at its end only" in refused(hqnn("inspect", path, *QUICK))


def test_a_circuit_that_does_not_compute_the_ansatz_ends_with_code_1(hqnn, monkeypatch):
    monkeypatch.setattr(inspecting, "largest_difference", lambda *_: 0.3)
    code, out, _ = hqnn("inspect", "textbook", *QUICK)
    assert code == 1
    assert "NOT EQUIVALENT on fake_manila" in out


@pytest.mark.slow
def test_python_takes_what_the_command_takes(trained, tmp_path):
    quick = {"devices": "fake_manila", "seeds": 1, "levels": [1]}
    path = tmp_path / "mine.qpy"
    with path.open("wb") as file:
        qpy.dump(hqnn_parallel(2, 1).circuit, file)
    by_name = inspect_circuit("hqnn-parallel", num_qubits=2, depth=1, **quick)
    for what in (hqnn_parallel(2, 1), hqnn_parallel(2, 1).circuit, path, str(path)):
        result = inspect_circuit(what, **quick)
        assert result.table[0]["expected_success"] == by_name.table[0]["expected_success"]
    assert "expected failures" in result._repr_html_()
    run = inspect_circuit(trained, images=1, **quick)
    assert run.circuits == 2
    assert "predicted answers" in run._repr_html_()
    assert [prediction.device for prediction in run.predictions] == ["fake_manila"]
