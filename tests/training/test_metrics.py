"""Results of one place never overwrite each other: each has a name that says how it differs from the plain one."""

import json
import shutil
from itertools import product
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qiskit_hqnn.errors import RunFolderError
from qiskit_hqnn.training import Metrics, Result, RunFolder, find_job, load_run, read_job, run_job
from qiskit_hqnn.training.evaluation import judge
from qiskit_hqnn.training.losses import loss_of
from qiskit_hqnn.training.measuring import keep_result, run_test_set
from qiskit_hqnn.training.metrics import Plain, active, mitigation_words
from qiskit_hqnn.training.report import write_report

FIXTURE = Path(__file__).parents[1] / "fixtures" / "v0_1" / "runs" / "quickstart"


def result(where="aer", shots=1000, mitigation=None, images=100, subset=None, job=None):
    return Result(
        where=where, shots=shots, mitigation=active(mitigation or {}), images=images, subset=subset, job=job,
        accuracy=0.5, loss=1.0, macro_f1=0.5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "aer"),
        ({"where": "exact", "shots": None}, "exact"),
        ({"shots": 4000}, "aer-4000-shots"),
        ({"where": "noisy:fake_fez", "shots": None}, "noisy:fake_fez"),
        ({"mitigation": {"readout": "trex"}}, "aer-trex"),
        ({"mitigation": {"readout": None, "extrapolation": "linear", "randomizations": 32}}, "aer"),
        ({"mitigation": {"zne": (1, 3, 5), "extrapolation": "linear"}}, "aer-zne-1-3-5-linear"),
        ({"where": "exact", "shots": None, "images": 20, "subset": "first"}, "exact-20-images"),
        ({"where": "fake_fez", "shots": 50, "images": 20, "subset": "random"}, "fake_fez-50-shots-20-random-images"),
        (
            {"mitigation": {"readout": "trex", "twirl_gates": True, "randomizations": 32}},
            "aer-trex-randomizations-32-twirl-gates",
        ),
    ],
)  # fmt: skip
def test_a_name_says_what_is_not_as_in_the_job_file(given, name):
    assert Plain(1000, {}, 100).name(result(**given)) == name


def test_the_plain_name_is_that_of_the_job_files_own_mitigation():
    own = {"readout": "trex", "randomizations": 16}
    plain = Plain(1000, own, 100)
    assert plain.name(result(mitigation=own)) == "aer"
    assert plain.name(result()) == "aer-unmitigated"
    assert plain.name(result(mitigation={"readout": "m3"})) == "aer-m3"


MITIGATIONS = st.fixed_dictionaries(
    {
        "readout": st.sampled_from([None, "trex", "m3"]),
        "zne": st.sampled_from([None, [1, 3], [1, 3, 5]]),
        "extrapolation": st.sampled_from(["exponential", "linear"]),
        "randomizations": st.sampled_from([16, 32]),
        "dynamical_decoupling": st.sampled_from([None, "XX", "XY4"]),
        "twirl_gates": st.booleans(),
        "twirl_measure": st.booleans(),
    }
)


@settings(max_examples=60, deadline=None)
@given(own=MITIGATIONS, others=st.lists(MITIGATIONS, min_size=1, max_size=4))
def test_different_conditions_have_different_names(own, others):
    names, conditions = set(), set()
    for where, shots, mitigation, (images, subset) in product(
        ("aer", "fake_fez", "ibm_fez"),
        (100, 1000),
        [own, {}, *others],
        ((100, None), (20, "first"), (20, "random")),
    ):
        one = result(where, shots, mitigation, images, subset)
        name = Plain(1000, own, 100).name(one)
        assert name.split("-")[0] == where
        names.add(name)
        conditions.add((where, shots, json.dumps(one.mitigation, sort_keys=True), images, subset))
    assert len(names) == len(conditions)


def test_another_submission_of_the_same_gets_a_number():
    plain, tests = Plain(1000, {}, 100), {}
    for job in "abca":
        tests, _, _ = plain.place(tests, result(job=job))
    assert {name: block.job for name, block in tests.items()} == {"aer": "a", "aer-2": "b", "aer-3": "c"}


def test_the_first_result_has_the_places_word_until_the_plain_one_comes():
    plain = Plain(1000, {}, 100)
    tests, name, _ = plain.place({}, result(shots=50, images=5, subset="first"))
    assert name == "aer"
    assert plain.at(tests, "aer") is None
    tests, name, _ = plain.place(tests, result(shots=4000))
    assert name == "aer-4000-shots"
    tests, name, moved = plain.place(tests, result())
    assert (name, moved) == ("aer", {"aer": "aer-50-shots-5-images"})
    assert list(tests) == ["aer-50-shots-5-images", "aer-4000-shots", "aer"]
    assert plain.at(tests, "aer") is tests["aer"]


CONDITIONS = st.builds(
    result,
    where=st.sampled_from(["aer", "fake_fez"]),
    shots=st.sampled_from([50, 1000]),
    mitigation=st.sampled_from([{}, {"readout": "trex"}, {"zne": [1, 3]}]),
    images=st.sampled_from([5, 100]),
    job=st.sampled_from([None, "a", "b"]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(CONDITIONS, max_size=12))
def test_no_order_of_results_loses_one(results):
    plain, tests = Plain(1000, {}, 100), {}
    for one in results:
        tests, name, _ = plain.place(tests, one)
        assert tests[name] is one
        assert name.split("-")[0] == one.where
    kinds = {(plain.name(one), one.job) for one in results}
    assert {(plain.name(one), one.job) for one in tests.values()} == kinds
    assert len(tests) == len(kinds)
    for where in ("aer", "fake_fez"):
        if any(plain.name(one) == where for one in results):
            assert plain.name(tests[where]) == where


def test_words_of_mitigation_are_those_of_the_options():
    assert (
        mitigation_words({}) == mitigation_words({"readout": None, "zne": None, "twirl_gates": False}) == []
    )
    assert active({"zne": (1, 3), "extrapolation": "exponential"}) == {"zne": [1, 3]}


SMALL = [
    "model.num_qubits=2", "model.depth=1", "model.copies=1", "train.epochs=1", "shots=50", "data.train_samples=60",
    "data.test_samples=30", "test=['exact', 'aer']",
]  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    return run_job(read_job(find_job("quickstart"), SMALL), folder, progress=False)


def test_nothing_that_was_measured_is_overwritten(trained, tmp_path):
    folder = RunFolder(Path(shutil.copytree(trained.path, tmp_path / "run")))
    run = load_run(folder.path)
    plain = folder.metrics()["test"]
    few = run.splits.test.subset(range(5))
    for shots, images in ((50, few), (400, None), (400, few)):
        run_test_set(folder, run.job, run.model, run.splits, "aer", shots, images)
    tests = folder.metrics()["test"]
    assert list(tests) == ["exact", "aer", "aer-5-images", "aer-400-shots", "aer-400-shots-5-images"]
    assert {name: tests[name] for name in plain} == plain
    assert (tests["aer-400-shots-5-images"]["shots"], tests["aer-400-shots-5-images"]["subset"]) == (
        400,
        "first",
    )
    mitigated = run.job.model_copy(
        update={"mitigation": run.job.mitigation.model_copy(update={"readout": "trex"})}
    )
    run_test_set(folder, mitigated, run.model, run.splits, "aer")
    again = folder.read_metrics()
    assert again.test["aer-trex"].mitigation == {"readout": "trex"}
    assert again.test["aer-trex"].conditions == "50 shots, trex"
    for name in again.test:
        assert folder.confusion_file(name).exists()
    page = write_report(folder, run.job).read_text()
    assert page.count("<tr><td>aer</td>") == 5
    assert "<td>trex</td>" in page


def test_a_result_of_another_submission_stands_beside_the_first(trained, tmp_path):
    folder = RunFolder(Path(shutil.copytree(trained.path, tmp_path / "run")))
    evaluation = judge(torch.eye(10), torch.arange(10), loss_of(torch.nn.Identity()))
    names = [
        keep_result(
            folder, evaluation, list("0123456789"),
            Result.model_validate({**evaluation.summary(), "where": "ibm_fez", "shots": 50, "images": 30, "job": job}),
        )
        for job in ("a", "b", "a")
    ]  # fmt: skip
    assert names == ["ibm_fez", "ibm_fez-2", "ibm_fez"]


def test_metrics_of_0_1_are_read_with_their_places():
    metrics = RunFolder(FIXTURE).read_metrics()
    assert {name: block.where for name, block in metrics.test.items()} == {"exact": "exact", "aer": "aer"}
    old = Metrics.model_validate(
        {
            "test": {
                "fake_fez-mitigated": {"images": 9, "accuracy": 1, "loss": 0, "macro_f1": 1, "shots": 1000}
            }
        }
    )
    block = old.test["fake_fez-mitigated"]
    assert (block.where, block.mitigation) == ("fake_fez", {"readout": "trex"})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", r"metrics.json is not valid JSON"),
        ("[]", r"metrics.json must contain a JSON object, but contains list"),
        (
            '{"test": {"aer": {"images": "many"}}}',
            r"metrics.json is damaged, or of a later version: test.aer",
        ),
        ('{"parameters": 3}', r"metrics.json is damaged, or of a later version: parameters"),
    ],
)
def test_damaged_metrics_are_one_sentence(tmp_path, content, sentence):
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(RunFolderError, match=sentence):
        RunFolder(tmp_path).read_metrics()
