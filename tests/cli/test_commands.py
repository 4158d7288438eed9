"""The command line as a newcomer types it: what works, what is refused, in which words and with which exit code."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import hqnn

HQNN = [
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'hqnn'; from qiskit_hqnn.cli.app import main; main()",
]
SMALL = [
    "--set", "train.epochs=1", "--set", "data.train_samples=100", "--set", "data.test_samples=20",
    "--set", "model.num_qubits=2", "--set", "model.depth=1", "--set", "model.copies=1", "--set", "shots=100",
]  # fmt: skip


def in_a_process(*arguments, cwd):
    environment = os.environ | {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run([*HQNN, *arguments], cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    place = tmp_path_factory.mktemp("newcomer")
    answer = hqnn("run", "quickstart", *SMALL, cwd=place)
    assert answer.returncode == 0, answer.stderr
    return place, answer


def test_run_prints_a_table_and_the_report(trained):
    place, answer = trained
    assert "exact" in answer.stdout
    assert "aer, 100 shots" in answer.stdout
    report = Path(answer.stdout.split("report   ")[-1].strip())
    assert (place / report).exists()
    assert "Traceback" not in answer.stderr


def test_evaluate_adds_a_place(trained):
    place, _ = trained
    answer = hqnn(
        "evaluate", "runs/quickstart", "--where", "fake_manila", "--shots", "50", "--subset", "5", cwd=place
    )
    assert answer.returncode == 0, answer.stderr
    metrics = json.loads((place / "runs/quickstart/metrics.json").read_text())
    assert metrics["test"]["fake_manila"]["images"] == 5
    assert set(metrics["test"]) == {"exact", "aer", "fake_manila"}


def test_help_says_what_happens_with_an_example(tmp_path):
    top = hqnn("--help", cwd=tmp_path)
    assert top.returncode == 0
    for command in ("run", "evaluate", "ls", "cp", "validate", "circuits"):
        assert command in top.stdout
        assert f"Example: hqnn {command}" in hqnn(command, "--help", cwd=tmp_path).stdout


def test_help_loads_neither_torch_nor_qiskit(tmp_path):
    program = (
        "import sys; sys.argv = ['hqnn', '--help']\n"
        "from qiskit_hqnn.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('LOADED', [n for n in ('torch', 'qiskit', 'lightning', 'numpy') if n in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "LOADED []" in answer.stdout


def test_the_module_is_the_command(tmp_path):
    command = [sys.executable, "-m", "qiskit_hqnn"]
    shown = subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, text=True)
    assert shown.stdout == in_a_process("--version", cwd=tmp_path).stdout
    refused = subprocess.run(
        [*command, "validate", "gone.toml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("hqnn: There is no job file gone.toml")


def test_version_and_lists(tmp_path):
    assert hqnn("--version", cwd=tmp_path).stdout.startswith("hqnn ")
    assert "quickstart" in hqnn("ls", cwd=tmp_path).stdout
    listed = hqnn("circuits", cwd=tmp_path).stdout
    assert "hqnn-parallel" in listed
    assert "reuploading" in listed


def test_circuits_show_draws_and_names_everything(tmp_path):
    shown = hqnn("circuits", "show", "hqnn-parallel", "--depth", "1", cwd=tmp_path).stdout
    assert "q_4" in shown
    assert "x[0], x[1], x[2], x[3], x[4]" in shown
    assert "w[0], w[1], …, w[14] (15)" in shown
    assert "IIIIY" in shown
    assert "Senokosov" in shown


def test_cp_then_validate(tmp_path):
    assert hqnn("cp", "quickstart", "mine.toml", cwd=tmp_path).returncode == 0
    assert "is valid" in hqnn("validate", "mine.toml", cwd=tmp_path).stdout
    again = hqnn("cp", "quickstart", "mine.toml", cwd=tmp_path)
    assert (again.returncode, again.stderr.strip()) == (
        2,
        "hqnn: mine.toml exists; overwrite it with --force.",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "quikstart"], "did you mean 'quickstart'"),
        (["validate", "quickstart", "--set", "train.epoch=3"], "unknown key 'train.epoch'"),
        (["validate", "quickstart", "--set", "model.qubits=3"], "did you mean 'num_qubits'"),
        (["validate", "quickstart", "--set", "data.size=8"], "did you mean 'image_size'?"),
        (["validate", "quickstart", "--set", "data.samples=8"], "'train_samples' or 'test_samples'?"),
        (["validate", "quickstart", "--set", "data.name='nist'"], "data.name must be one of"),
        (["run", "hqnn-parallel-mnist", "--data-root", "nowhere"], "could not be downloaded"),
        (["evaluate", "nowhere"], "is not a run folder"),
        (["circuits", "show", "hqnn-paralel"], "did you mean 'hqnn-parallel'"),
        (["circuits", "show", "textbook", "--depth", "3"], "takes no sizes, but is given 'depth'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path, arguments, sentence):
    # Without a route a download fails at once; where there is one it must not happen in a test.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    answer = hqnn(*arguments, cwd=tmp_path, variables=nowhere)
    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr
    assert len([line for line in answer.stderr.splitlines() if line.startswith("hqnn: ")]) == 1


def test_debug_shows_the_traceback(tmp_path):
    answer = in_a_process("--debug", "run", "quikstart", cwd=tmp_path)
    assert "Traceback" in answer.stderr


def test_bad_options_of_evaluate_are_one_sentence(trained):
    place, _ = trained
    for options, sentence in (
        (["--where", "fake_feez"], "the nearest are fake_fez"),
        (["--shots", "0"], "--shots must be at least 1, but is 0"),
        (["--subset", "999"], "--subset must be from 1 to 20, but is 999"),
    ):
        answer = hqnn("evaluate", "runs/quickstart", *options, cwd=place)
        assert answer.returncode == 2
        assert sentence in answer.stderr


def test_dry_run_prints_the_price_and_writes_nothing(tmp_path):
    answer = hqnn(
        "run", "quickstart", *SMALL, "--where", "aer", "--set", "max_qpu_seconds=1", "--dry-run", "--plan", "open",
        cwd=tmp_path,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert "training, 1 epochs on aer" in answer.stdout
    assert "over its budget" in answer.stdout
    total = float(re.search(r"^total .* (\S+) +\S+$", answer.stdout, flags=re.M)[1])
    assert f"money    open plan: {total / 6:.1f} % of its 600 s" in answer.stdout
    assert "nothing was sent" in answer.stdout
    assert not list(tmp_path.iterdir())


def test_plain_mistakes_are_reported_without_torch(tmp_path):
    """One process for all: a start for each would take longer than what is tested."""
    lines = [
        "sweep none.toml --grid train.epochs=1", "sweep quickstart --grid train.epoch=1,2", "reproduce none",
        "inspect none", "inspect none.qasm", "inspect none.py:f", "inspect textbook --where fake_none",
        "devices none", "evaluate none", "predict none none.png", "submit none", "export none --to a.onnx",
        "evaluate none --where fake_none", "data none", "run quickstart --set where=fake_none",
        "validate quickstart --set train.epoch=1", "circuits show none", "analyse none",
    ]  # fmt: skip
    script = f"""
import contextlib, io, sys
from qiskit_hqnn.cli.app import main
for line in {lines!r}:
    sys.argv, said = ["hqnn", *line.split()], io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            main()
    except SystemExit as end:
        if end.code != 2 or "this should not happen" in said.getvalue():
            print("CODE", line, end.code, said.getvalue())
    loaded = [name for name in ("torch", "qiskit_aer", "qiskit_ibm_runtime") if name in sys.modules]
    if loaded:
        sys.exit(f"{{line}} loads {{loaded}}")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
