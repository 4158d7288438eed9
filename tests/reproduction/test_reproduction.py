"""Every published row end to end, on little data: runs, controls, the device, the page, and going on after a stop."""

import json
import os
import re
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from typer.testing import CliRunner

from qiskit_hqnn.cli.app import app
from qiskit_hqnn.errors import HQNNError, JobFileError, RunFolderError
from qiskit_hqnn.reproduction.outcomes import Outcome, collect, keep_records
from qiskit_hqnn.reproduction.records import Record, Records, read_records, records_in
from qiskit_hqnn.reproduction.reproducing import (
    Options,
    job_of,
    name_of,
    reproduce,
)
from qiskit_hqnn.reproduction.results_page import write_page
from qiskit_hqnn.reproduction.rows import choose_rows, published_rows
from qiskit_hqnn.training import shipped_jobs
from qiskit_hqnn.training.job_names import shipped_folder
from qiskit_hqnn.training.job_settings import differences, settings_of
from qiskit_hqnn.training.pictures import draw_curves
from qiskit_hqnn.training.run_folder import RunFolder
from qiskit_hqnn.training.study import compare
from tests.forked import command, start_forked
from tests.training.tiny_data import write_all, write_idx_sets

ROOT = Path(__file__).parents[2]
ROWS = {row.job: row for row in published_rows()}
TINY = ["train.epochs=1", "train.threads=1"]
SIZES = {
    "hqnn-parallel-cifar10": ["data.train_samples=40", "data.test_samples=20", "data.validation=10"],
    "hqnn-parallel-medical-mnist": ["data.train_samples=30", "data.test_samples=12", "data.validation=6"],
    "hqnn-parallel-digits": ["data.train_samples=40", "data.test_samples=20"],
    "quickstart": ["data.train_samples=40", "data.test_samples=20", "test=['exact']"],
    "vqc-head-shots": ["data.train_samples=10", "data.test_samples=5", "data.validation=5", "shots=50"],
}
PARTS = ("train", "validation")
PAIRS = ["data.train_samples=12", "data.test_samples=6"]
DEFAULT = ["data.train_samples=40", "data.test_samples=20", "data.validation=10"]


def sizes_of(name):
    if name.startswith("textbook"):
        return PAIRS
    if name.startswith("hqnn-quanv"):
        return ["data.train_samples=50", "data.test_samples=20", "data.validation=10", "data.draws=1"]
    return SIZES.get(name, DEFAULT)


def pages(page):
    """The page and those of its rows, one after the other."""
    rows = sorted([*page.parent.glob("rows/*.md"), *page.parent.glob("rows-quick/*.md")])
    return "\n".join(path.read_text() for path in (page, *rows))


def outcome_of(name, options, out, page, reason=""):
    return next(o for o in collect(options, out, page, {name: reason}) if o.row.job == name)


@pytest.fixture(scope="module")
def data_root(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("data"))


BINARY = Options(seeds=2, settings=tuple(TINY))


@pytest.fixture(scope="module")
def two_seeds(data_root, tmp_path_factory):
    """Two seeds of the circuit-centric classifier with their controls, to be copied."""
    folder = tmp_path_factory.mktemp("two-seeds")
    reproduce(ROWS["circuit-centric-binary"], BINARY, folder, data_root, progress=False)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_every_row_runs_with_its_controls(name, data_root, tmp_path):
    row = ROWS[name]
    options = Options(seeds=1, settings=(*TINY, *sizes_of(name)))
    runs = reproduce(row, options, tmp_path, data_root, progress=False)
    job = job_of(row, options)
    assert [control for _, control, _ in runs] == [None, *job.controls]
    for _, _, run in runs:
        (first, *_) = run.metrics()["test"].values()
        assert 0 <= first["accuracy"] <= 1
        assert run.report.exists()


def test_every_shipped_job_is_a_row():
    # What needs hardware, or a stand-in for it, is no published row.
    assert set(ROWS) == set(shipped_jobs()) - {"hqnn-parallel-ibm-fez"}


@pytest.mark.parametrize("name", ROWS)
def test_quick_forms_are_jobs(name):
    job = job_of(ROWS[name], Options(quick=True))
    assert job.seeds == [0]
    assert job_of(ROWS[name], Options(quick=True, controls=False)).controls == []


def test_the_page_sets_both_figures_side_by_side(two_seeds, data_root, tmp_path, pictures):
    row, options = ROWS["circuit-centric-binary"], BINARY
    shutil.copytree(two_seeds, tmp_path, dirs_exist_ok=True)
    runs = reproduce(row, options, tmp_path, data_root, progress=False)
    page = tmp_path / "page" / "results.md"
    others = outcome_of("vqc-head", options, tmp_path, page, "no data.")
    write_page(page, [outcome_of(row.job, options, tmp_path, page), others], quick=False)
    text = pages(page)
    accuracies = [run.metrics()["test"]["exact"]["accuracy"] for _, control, run in runs if control is None]
    assert re.search(rf"\| {100 * sum(accuracies) / 2:.1f}\d? ± ", text)
    assert ", ".join(f"{100 * accuracy:.1f}" for accuracy in accuracies) in text
    assert "| [VQC head, MNIST, 5,000 images](rows/vqc-head.md) | 97 % | not run |" in text
    assert "Not run: no data." in text
    for link in ("confusion", "curves"):
        assert (page.parent / f"images/results-circuit-centric-binary-{link}.png").stat().st_size > 1000


def test_what_is_finished_is_not_run_again(data_root, tmp_path, monkeypatch):
    row, options = ROWS["circuit-centric-binary"], Options(seeds=1, controls=False, settings=tuple(TINY))
    reproduce(row, options, tmp_path, data_root, progress=False)

    def never(*args, **kwargs):
        raise AssertionError("a finished run was run again")

    monkeypatch.setattr("qiskit_hqnn.reproduction.reproducing.run_job", never)
    runs = reproduce(row, options, tmp_path, data_root, progress=False)
    assert runs[0][2].metrics()["test"]["exact"]["images"] > 0
    found = records_in(tmp_path / row.job, job_of(row, options))
    assert [(run.seed, run.control) for run in found.runs] == [(0, None)]
    with pytest.raises(AssertionError, match="run again"):
        reproduce(
            row, Options(seeds=2, controls=False, settings=tuple(TINY)), tmp_path, data_root, progress=False
        )


def test_finished_runs_are_held_against_the_images_of_their_own_draw(data_root, tmp_path, monkeypatch):
    row = ROWS["circuit-centric-binary"]
    options = Options(seeds=1, controls=False, settings=(*TINY, "data.draws=2"))
    first = reproduce(row, options, tmp_path, data_root, progress=False)
    labels = [run.metrics()["data"]["labels"] for _, _, run in first]
    assert len(set(labels)) == 2
    monkeypatch.delattr("qiskit_hqnn.reproduction.reproducing.run_job")
    again = reproduce(row, options, tmp_path, data_root, progress=False)
    assert [run.path for _, _, run in again] == [run.path for _, _, run in first]


def files_of(folder):
    """Every file's content and time, so that even an equal one written again is seen."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_cluster_makes_the_runs_of_one_process_and_the_same_page(two_seeds, data_root, tmp_path):
    from distributed import LocalCluster  # most of the tests' processes need none

    words = ["reproduce", "circuit-centric-binary", "--data-root", str(data_root), "--out", str(tmp_path)]
    words += ["--seeds", "2", "--no-controls", "--quiet"]
    for setting in TINY:
        words += ["--set", setting]
    here = {"processes": False, "protocol": "tcp", "host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(n_workers=1, threads_per_worker=1, **here) as cluster:
        answer = CliRunner().invoke(
            app, [*words, "--dask", cluster.scheduler_address], catch_exceptions=False
        )
    assert answer.exit_code == 0, answer.output
    for name in ("seed-0", "seed-1"):
        (made, same) = (
            RunFolder(folder / "circuit-centric-binary" / name).weights for folder in (tmp_path, two_seeds)
        )
        assert made.read_bytes() == same.read_bytes()
    assert "| [Circuit-centric" in pages(tmp_path / "results.md")


@pytest.mark.slow
def test_after_a_kill_the_same_command_goes_on_and_runs_nothing_again(data_root, tmp_path):
    folder = tmp_path / "textbook-37"
    first, second = RunFolder(folder / "seed-0"), RunFolder(folder / "seed-1")
    words = [
        "reproduce",
        "textbook-37",
        "--data-root",
        str(data_root),
        "--out",
        str(tmp_path),
        "--seeds",
        "2",
    ]
    words += ["--no-controls", "--quiet"]
    for setting in ("train.epochs=15", "train.threads=1", *PAIRS):
        words += ["--set", setting]
    child = start_forked(command, *words, folder=ROOT, environment=dict(os.environ), printed=tmp_path / "log")
    deadline = time.monotonic() + 120
    while len(second.history()) < 3:
        assert child.is_alive(), (tmp_path / "log").read_text()
        assert time.monotonic() < deadline, (tmp_path / "log").read_text()
        time.sleep(0.005)
    child.kill()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    finished, begun = files_of(first.path), second.history()
    assert "report.html" in {path.name for path in finished}
    assert 3 <= len(begun) < 15
    assert not second.report.exists()
    assert not (tmp_path / "results.md").exists()

    answer = CliRunner().invoke(app, words, catch_exceptions=False)
    assert answer.exit_code == 0
    assert files_of(first.path) == finished
    # The seconds of an epoch are never the same twice: these were not run again. The last one may have had no
    # checkpoint yet.
    assert second.history()[: len(begun) - 1] == begun[:-1]
    assert [len(RunFolder(folder / f"seed-{seed}").history()) for seed in range(2)] == [15, 15]
    assert "| 6 | 2 |" in pages(tmp_path / "results.md")


def test_a_device_gives_two_more_results_once(data_root, tmp_path):
    row = ROWS["textbook-01"]
    options = Options(
        seeds=1, controls=False, device="fake_manila", device_images=4, settings=(*TINY, *PAIRS)
    )
    (_, _, run), *_ = reproduce(row, options, tmp_path, data_root, progress=False)
    tests = run.metrics()["test"]
    plain, mitigated = "fake_manila-{}random-images", "fake_manila-trex-{}random-images"
    assert set(tests) == {"exact", "fake_manila", mitigated.format("4-")}
    assert tests["fake_manila"]["images"] == 4
    assert tests[mitigated.format("4-")]["executions"] > 0
    before = run.metrics_file.read_bytes()
    reproduce(row, options, tmp_path, data_root, progress=False)
    assert run.metrics_file.read_bytes() == before
    page = tmp_path / "results.md"
    for asked in (6, 5, 100):
        reproduce(row, replace(options, device_images=asked), tmp_path, data_root, progress=False)
    # The whole test set has six images; nothing took the place of the first look.
    names = {"exact", plain.format("4-"), mitigated.format("4-"), "fake_manila", "fake_manila-trex"}
    assert set(run.metrics()["test"]) == names
    write_page(page, [outcome_of(row.job, options, tmp_path, page)], quick=False)
    assert (
        "| Textbook hybrid, digits 0 and 1 of MNIST, 200 + 100 images | 0 | fake_manila | 6 |"
        in page.read_text()
    )


def test_figures_outlive_their_run_folders(two_seeds, tmp_path):
    row = ROWS["circuit-centric-binary"]
    shutil.copytree(two_seeds, tmp_path / "runs")
    page = tmp_path / "docs" / "results.md"
    write = [
        "reproduce",
        "--page-only",
        "--out",
        str(tmp_path / "runs"),
        "--page",
        str(page),
        "--set",
        TINY[0],
    ]
    assert CliRunner().invoke(app, write).exit_code == 0
    text, file = pages(page), page.parent / "results" / f"{row.job}.json"
    kept = file.read_bytes()
    assert str(tmp_path) not in text + file.read_text()
    shutil.rmtree(tmp_path / "runs" / row.job / "seed-1")
    assert CliRunner().invoke(app, write).exit_code == 0
    assert (pages(page), file.read_bytes()) == (text, kept), "fewer runs do not take the place of more"
    shutil.rmtree(tmp_path / "runs")
    page.unlink()
    answer = CliRunner().invoke(app, write)
    assert answer.exit_code == 0
    assert row.job in answer.stderr
    assert (pages(page), file.read_bytes()) == (text, kept)
    for picture in (page.parent / "images").glob("*.png"):
        picture.unlink()
    assert CliRunner().invoke(app, write).exit_code == 0
    drawn = {picture.name for picture in (page.parent / "images").glob(f"results-{row.job}-*.png")}
    assert drawn == {f"results-{row.job}-{what}.png" for what in ("confusion", "curves")}, (
        "from the file alone"
    )
    file.write_text(file.read_text().replace('"accuracy"', '"acuracy"')[:-20])
    with pytest.raises(HQNNError, match=rf"{row.job}.json is not a file of results"):
        CliRunner().invoke(app, write, catch_exceptions=False)


def test_the_file_keeps_every_epoch_and_files_without_stay_readable(two_seeds, tmp_path):
    row = ROWS["circuit-centric-binary"]
    page, file = tmp_path / "results.md", tmp_path / "results" / f"{row.job}.json"
    keep_records(page, [outcome_of(row.job, BINARY, two_seeds, page)])
    job = job_of(row, BINARY)
    kept = read_records(file, job)
    for run in kept.runs:
        folder = two_seeds / row.job / f"seed-{run.seed}{f'-{run.control}' if run.control else ''}"
        for ours, theirs in zip(run.epochs, RunFolder(folder).history(), strict=True):
            assert ours.keys() == {"epoch", *(f"{p}_{q}" for p in PARTS for q in ("loss", "accuracy"))}
            assert all(value == pytest.approx(theirs[name], abs=5.1e-6) for name, value in ours.items())
    old = json.loads(file.read_text())
    for run in old["runs"]:
        del run["history"]
    file.write_text(json.dumps(old))
    without = read_records(file, job)
    assert [run.metrics for run in without.runs] == [run.metrics for run in kept.runs]
    assert all(run.epochs == [] for run in without.runs)
    next(iter(kept.runs)).history["train_loss"].append(0.5)
    keep_records(page, [replace(outcome_of(row.job, BINARY, two_seeds, page), records=kept)])
    with pytest.raises(HQNNError, match="histories of different lengths"):
        read_records(file, job)


def test_what_the_folders_lack_is_taken_from_the_file_if_its_images_are_the_same(two_seeds, tmp_path):
    row, page, out = ROWS["circuit-centric-binary"], tmp_path / "results.md", tmp_path / "out"
    keep_records(page, [outcome_of(row.job, BINARY, two_seeds, page)])
    shutil.copytree(two_seeds / row.job / "seed-1", out / row.job / "seed-1")
    whole = outcome_of(row.job, BINARY, out, page)
    assert not whole.from_file
    assert {(run.seed, run.control) for run in whole.records.runs if run.folder} == {(1, None)}
    assert len(whole.records.runs) == 2 * 5
    metrics = out / row.job / "seed-1" / "metrics.json"
    labels = json.loads(metrics.read_text())["data"]["labels"]
    metrics.write_text(metrics.read_text().replace(labels, "0" * len(labels)))
    assert outcome_of(row.job, BINARY, out, page).from_file, "images of another kind are not mixed"


def record(seed, accuracy, where="exact", images=100, control=None, **settings):
    """A run as the page sees it: two classes of equal size, of which `accuracy` were right."""
    right = round(accuracy * images / 2)
    wrong = images // 2 - right
    result = {
        "accuracy": accuracy,
        "accuracy_interval": [0.0, 1.0],
        "macro_f1": accuracy,
        "loss": 0.1,
        "images": images,
        "confusion": [[right, wrong], [wrong, right]],
    }
    metrics = {
        "parameters": {"classical": 5, "quantum": 2},
        "seconds": {"train": 1.0},
        "test": {where: result},
    }
    job = job_of(ROWS["textbook-37"], Options(settings=tuple(f"{k}={v}" for k, v in settings.items())))
    return Record(seed, control, settings_of(job.single(seed, control)), metrics, {})


def page_of(tmp_path, accuracies, name="textbook-37", quick=False):
    job = job_of(ROWS[name], Options())
    records = Records([record(seed, accuracy, job.test[0]) for seed, accuracy in enumerate(accuracies)])
    write_page(tmp_path / "page.md", [Outcome(ROWS[name], name, job, "", records)], quick)
    return pages(tmp_path / "page.md")


def test_runs_that_were_not_made_are_visibly_absent(tmp_path):
    page = page_of(tmp_path, [0.91] * 9)
    assert "have not been made: the hybrid (1 of 10), the classical twin (10 of 10)." in page
    assert "have not been made" not in page_of(tmp_path / "shots", [0.9] * 10, "textbook-37-shots")


def test_figures_of_other_commands_are_taken_over_with_their_links(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "more.md").write_text("## More\n\nSee [there](../there.md).\n")
    page = page_of(tmp_path, [0.91] * 3)
    assert "## More\n\nSee [there](there.md)." in page
    assert "## More" not in page_of(tmp_path, [0.91] * 3, quick=True)


@pytest.mark.parametrize(
    ("accuracies", "word"),
    [
        ([0.91] * 10, "within its interval"),
        ([0.96, 0.98, 0.94], "above"),
        ([0.80, 0.98, 0.98], "within its interval"),
        ([0.86, 0.90, 0.94], "within its interval"),
        ([0.86, 0.86, 0.84], "below"),
        ([0.92], "above, one seed"),
        ([0.91], "equal, one seed"),
        ([0.90], "below, one seed"),
    ],
)
def test_the_published_figure_is_held_against_the_interval(accuracies, word, tmp_path):
    text = page_of(tmp_path, accuracies)
    assert f" % | {word} | 100 | {len(accuracies)} | " in text
    assert " % | quick | " in page_of(tmp_path, accuracies, quick=True)


def test_runs_that_do_not_learn_are_counted_from_five_seeds_on(tmp_path):
    text = page_of(tmp_path, [0.98, 0.48, 0.5, 0.58, 0.6])
    assert "| 5 | 3 of 5 | 5 + 2 (text: 68,609) | 1 |" in text
    assert (
        "| hybrid | exact | 62.8 ± 25.2 % | 0.628 | 0.100 | 3 of 5 | 98.0, 48.0, 50.0, 58.0, 60.0 |" in text
    )
    assert "| 4 |  | 5 + 2 (text: 68,609) | 1 |" in page_of(tmp_path, [0.98, 0.48, 0.5, 0.58])


def test_each_row_tells_its_machine_and_commit(data_root, tmp_path):
    row, options = ROWS["circuit-centric-binary"], Options(seeds=1, controls=False, settings=tuple(TINY))
    (_, _, run), *_ = reproduce(row, options, tmp_path, data_root, progress=False)
    machine = json.loads((run.path / "environment.json").read_text())
    page = tmp_path / "results.md"
    outcome = outcome_of(row.job, options, tmp_path, page)
    write_page(page, [outcome], quick=False)
    assert f"torch {machine['packages']['torch']}" in pages(page)
    assert (machine["commit"] is None) == ("; commit" not in pages(page))
    (record,) = outcome.records.runs
    other = replace(
        record, seed=1, machine=record.machine | {"commit": "0123456789abcdef-modified", "cpus": 3000}
    )
    write_page(page, [replace(outcome, records=Records([record, other]))], quick=False)
    lines = [line for line in pages(page).splitlines() if line.startswith("Machine: ")]
    assert len(lines) == 2
    assert "3000 CPU cores" in lines[1]
    assert lines[1].endswith("; commit 0123456789ab-modified.")


@pytest.mark.parametrize(
    ("changes", "checkout", "page"),
    [
        ([], True, "docs/results.md"),
        ([], False, "runs/reproduce/results.md"),
        (["--seeds", "1"], True, "runs/reproduce/results.md"),
        (["--no-controls"], True, "runs/reproduce/results.md"),
        (["--set", "train.epochs=1"], True, "runs/reproduce/results.md"),
        (["--quick"], True, "runs/reproduce/results-quick.md"),
    ],
)
def test_only_unchanged_rows_go_to_the_page_of_a_checkout(changes, checkout, page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(shipped_folder(), "jobs")
    Path("docs").mkdir()
    Path("docs/results.md").touch()
    if checkout:
        monkeypatch.setattr("qiskit_hqnn.training.shipped_folder", lambda: tmp_path / "jobs")
    assert CliRunner().invoke(app, ["reproduce", "--page-only", *changes]).exit_code == 0
    (written,) = (path for path in tmp_path.rglob("results*.md") if path.stat().st_size)
    assert written.relative_to(tmp_path).as_posix() == page


def test_a_run_of_one_epoch_shows_in_its_curves(tmp_path):
    row = {"epoch": 1.0, "train_loss": 0.5, "train_accuracy": 0.7}
    draw_curves([row], tmp_path / "one.png")
    picture = plt.imread(tmp_path / "one.png")[..., :3]
    colour = np.array([0x6F, 0x8F, 0xB3]) / 255
    half = picture[:, picture.shape[1] // 2 :]
    assert (np.abs(half - colour).max(axis=-1) < 0.02).sum() > 40, "no point of the accuracy is seen"


@pytest.mark.parametrize(("sign", "word"), [(1, "better"), (-1, "worse")])
def test_better_and_worse_carry_no_sign(sign, word):
    seeds = dict(enumerate([0.8, 0.81, 0.79]))
    other = {seed: accuracy - sign * 0.1 for seed, accuracy in seeds.items()}
    other[0] += 0.003
    assert re.search(rf"{word} than 'twin' by (9.90|10.10) points", compare("twin", seeds, other).sentence)


def test_runs_with_other_settings_are_left_out_and_said(data_root, tmp_path):
    row, page = ROWS["circuit-centric-binary"], tmp_path / "results.md"
    settings = Options(seeds=1, controls=False, settings=tuple(TINY))
    reproduce(row, settings, tmp_path, data_root, progress=False)
    write_page(page, [outcome_of(row.job, Options(), tmp_path, page)], quick=False)
    assert "1 run was left out, made with other settings (train.epochs 1, here 30)." in pages(page)
    assert "not run" in page.read_text()
    own = outcome_of(row.job, settings, tmp_path, page)
    assert "--set 'train.epochs=1'" in own.command
    (file,) = keep_records(page, [own])
    assert '"settings": {"train.epochs": 1}' in file.read_text()
    assert not read_records(file, job_of(row, Options())).runs


@pytest.mark.parametrize("row", [row for row in ROWS.values() if row.variant], ids=lambda row: row.job)
def test_a_variant_changes_what_its_row_says(row):
    options = Options()
    assert row.differs
    changed = differences(settings_of(job_of(row, options)), settings_of(job_of(row, options, variant=True)))
    assert {part.split()[0] for part in changed.split("; ")} == {
        text.partition("=")[0] for text in row.variant
    }
    assert name_of(row, options, variant=True) not in {*ROWS, name_of(row, options)}


def test_a_row_unlike_its_text_is_run_as_published_too(data_root, tmp_path):
    row, page = ROWS["textbook-01"], tmp_path / "results.md"
    options = Options(seeds=1, settings=("train.epochs=2", *PAIRS))
    reproduce(row, options, tmp_path, data_root, progress=False)
    outcome = outcome_of(row.job, options, tmp_path, page)
    (own,), (published,) = outcome.records.networks, outcome.variant.records.runs
    assert (own.settings["train.learning_rate"], published.settings["train.learning_rate"]) == (3e-4, 1e-3)
    write_page(page, [outcome], quick=False)
    first, second, *_ = [
        line for line in page.read_text().splitlines() if line.startswith("| [Textbook hybrid,")
    ]
    assert [r"(rows/textbook-01.md) \*" in first, "the text's `train.learning_rate=1e-3` |" in second] == [
        True,
        True,
    ]
    assert "Otherwise than in the text: learning rate 3e-4, in the text 1e-3; dense" in pages(page)
    assert [file.stem for file in keep_records(page, [outcome])] == ["textbook-01", "textbook-01-variant"]
    shutil.rmtree(tmp_path / "textbook-01-variant")
    again = outcome_of(row.job, options, tmp_path, page)
    assert [run.settings for run in again.variant.records.runs] == [published.settings]


def test_a_look_at_a_device_in_the_quick_form_stands_beside_the_rows_own(data_root, tmp_path):
    row, page = ROWS["textbook-37"], tmp_path / "results.md"
    quick = Options(
        quick=True, controls=False, device="fake_manila", device_images=4, settings=(*TINY, *PAIRS)
    )
    reproduce(row, quick, tmp_path, data_root, progress=False)
    whole = replace(quick, quick=False, seeds=1)
    outcome = outcome_of(row.job, whole, tmp_path, page)
    write_page(page, [outcome], quick=False)
    assert "200 + 100 images (quick form: `train.epochs=4`) | 0 | fake_manila | 4 |" in page.read_text()
    (file,) = keep_records(page, [outcome])
    shutil.rmtree(tmp_path / "textbook-37-quick")
    assert file.stem == "textbook-37-quick"
    again = tmp_path / "again.md"
    write_page(again, [outcome_of(row.job, whole, tmp_path, page)], quick=False)
    assert again.read_text() == page.read_text()
    reproduce(row, whole, tmp_path, data_root, progress=False)
    write_page(page, [outcome_of(row.job, whole, tmp_path, page)], quick=False)
    assert "quick form:" not in page.read_text()
    assert "200 + 100 images | 0 | fake_manila | 4 |" in page.read_text()


def test_a_run_on_a_part_of_the_data_is_not_the_whole(tmp_path):
    """Folders with and without the fingerprint of their data; the latter know only the size of the test set."""
    row = ROWS["reuploading-10"]
    options = Options(
        seeds=1, controls=False, settings=(*TINY, "data.reduce=", "data.validation=10", "model.depth=1")
    )
    write_idx_sets(tmp_path / "part", "FashionMNIST", 60, 20)
    write_idx_sets(tmp_path / "whole", "FashionMNIST", 90, 30)
    out = tmp_path / "runs"
    options = replace(options, settings=(*options.settings, "data.image_size=8"))
    (_, _, run), *_ = reproduce(row, options, out, tmp_path / "part", progress=False)
    before = run.metrics_file.read_bytes()
    reproduce(row, options, out, tmp_path / "part", progress=False)
    with pytest.raises(RunFolderError, match="50 train images .here 80., 10 .*, 20 test images .here 30."):
        reproduce(row, options, out, tmp_path / "whole", progress=False)
    metrics = json.loads(before)
    del metrics["data"]
    run.metrics_file.write_text(json.dumps(metrics))
    reproduce(row, options, out, tmp_path / "part", progress=False)
    with pytest.raises(RunFolderError, match="20 test images .here 30."):
        reproduce(row, options, out, tmp_path / "whole", progress=False)


def test_a_run_in_the_folder_itself_hides_no_others(two_seeds, data_root, tmp_path):
    row, page = ROWS["circuit-centric-binary"], tmp_path / "results.md"
    options = Options(seeds=1, controls=False, settings=tuple(TINY))
    (_, _, alone), *_ = reproduce(row, options, tmp_path, data_root, progress=False)
    assert alone.path == tmp_path / row.job
    for seed in ("seed-0", "seed-1"):
        shutil.copytree(two_seeds / row.job / seed, tmp_path / row.job / seed)
    reproduce(row, replace(options, seeds=2), tmp_path, data_root, progress=False)
    found = outcome_of(row.job, options, tmp_path, page).records.runs
    assert [(run.seed, run.folder.name) for run in found] == [(0, "seed-0"), (1, "seed-1")]
    job_file = tmp_path / row.job / "seed-0" / "job.toml"
    job_file.write_text(job_file.read_text().replace("batch_size", "batch_sizes"))
    records = outcome_of(row.job, options, tmp_path, page).records
    assert records.left_out == ["The run in seed-0 was left out: its files cannot be read, or no longer."]
    found = records.runs
    assert [(run.seed, run.folder.name) for run in found] == [(0, row.job), (1, "seed-1")]


SEARCH = ROOT / "docs" / "search.json"
KEPT = sorted((ROOT / "docs" / "results").glob("*.json"))


@pytest.mark.skipif(not KEPT, reason="this checkout has no files of results")
def test_the_page_of_the_repository_is_what_its_files_give(tmp_path):
    """After a change to job files, published.toml or the page's words: `hqnn reproduce --page-only`."""
    shutil.copytree(ROOT / "docs" / "results", tmp_path / "results")
    shutil.copytree(ROOT / "docs" / "images", tmp_path / "images")
    if SEARCH.exists():
        shutil.copy(SEARCH, tmp_path)
    page = tmp_path / "results.md"
    write_page(page, collect(Options(), tmp_path / "none", page), quick=False)
    assert pages(page) == pages(ROOT / "docs" / "results.md")


def test_the_command_tells_what_is_missing(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    out = tmp_path / "out"
    answer = CliRunner().invoke(
        app, ["reproduce", "textbook-37", "--data-root", str(tmp_path / "none"), "--out", str(out), "--quick"]
    )
    assert answer.exit_code == 1
    assert "Not run: " in pages(out / "results-quick.md")


def test_an_unknown_row_is_one_sentence():
    with pytest.raises(JobFileError, match="but is 'textbok-37'; did you mean 'textbook-37'"):
        choose_rows("textbok-37")
    assert [row.job for row in choose_rows("reuploading")] == ["reuploading-4", "reuploading-10"]
    assert len(choose_rows("all")) == len(ROWS)
    assert issubclass(JobFileError, HQNNError)
