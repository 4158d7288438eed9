"""Jobs over several random draws of the images: which runs they are, and what counts as one value."""

import pytest
import torch
from torch.nn.functional import interpolate
from torchvision.transforms.v2.functional import resize

from qiskit_hqnn import data
from qiskit_hqnn.errors import JobFileError, MissingDataError
from qiskit_hqnn.reproduction.records import Record, Records, read_records, write_records
from qiskit_hqnn.training import by_draw, find_job, mean_of, of_one_more, read_job, run_each, summarise
from qiskit_hqnn.training.job_settings import settings_of
from tests.training.tiny_data import write_idx_sets

TINY = ["data.train_samples=20", "data.test_samples=10", "seeds=[0,1]", "controls=['twin']"]


def job_of(*settings):
    return read_job(find_job("hqnn-quanv"), [*TINY, *settings])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_idx_sets(folder, "MNIST")
    return folder


def test_every_draw_has_all_seeds_and_controls(tmp_path):
    begun = []
    runs = run_each(
        job_of("data.draws=2", "data.seed=5"), tmp_path, lambda job, folder: begun.append((job, folder.name))
    )
    assert [run[:2] for run in runs] == [
        ((draw, seed), control) for draw in (5, 6) for seed in (0, 1) for control in (None, "twin")
    ]
    job, name = begun[-1]
    assert name == "draw-6-seed-1-twin"
    assert (job.data.seed, job.data.draws, job.seeds, job.model.options["control"]) == (6, 1, [1], "twin")
    assert "data.draws" not in settings_of(job)


def test_draws_are_other_images_of_the_same_number(root):
    parts = [
        data.load("mnist", root, train_samples=50, test_samples=20, image_size=14, seed=d) for d in (0, 1, 0)
    ]
    assert [len(splits.test) for splits in parts] == [20] * 3
    assert torch.equal(parts[0].train.images, parts[2].train.images)
    assert not torch.equal(parts[0].train.images, parts[1].train.images)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["data.first=true"], "data.draws is 20, but data.first takes the same images in every draw"),
        (["data.train_samples=", "data.test_samples="], "data.draws is 20, but nothing is drawn at random"),
        (
            [
                "data.name='medmnist:bloodmnist'",
                "data.validation=",
                "data.train_samples=",
                "data.test_samples=",
            ],
            "data.draws is 20, but nothing is drawn at random",
        ),
        (["data.draws=0"], "data.draws is 0"),
        (["data.draws='many'"], "data.draws is 'many'"),
        (["data.seed=4294967295"], "data.seed . data.draws must be at most 4294967296"),
    ],
)
def test_draws_of_nothing_are_refused(settings, words):
    with pytest.raises(JobFileError, match=words):
        job_of(*settings)


def test_a_draw_counts_once_whatever_its_seeds():
    values = {(0, 0): 0.5, (0, 1): 0.7, (1, 0): 0.8, (1, 1): 0.8}
    assert by_draw(values) == pytest.approx({0: 0.6, 1: 0.8})
    mean = mean_of(values)
    # Two values 0.6 and 0.8: t(0.975, 1) = 12.7062 standard errors of 0.1.
    assert (mean.mean, mean.half_width) == pytest.approx((0.7, 1.27062), rel=1e-5)
    assert (mean.count, mean.unit) == (2, "draw")
    assert mean.deviation == pytest.approx(0.02**0.5)
    assert mean_of({0: 0.5, 1: 0.7}).unit == "seed"
    three = mean_of([0.5, 0.6, 0.7])
    # 4.302653 · 0.1 · √(1 + 1/3)
    assert of_one_more(three) == pytest.approx((0.6 - 0.496828, 1.0), abs=1e-5)


def metrics(accuracy):
    right = round(10 * accuracy)
    block = {"where": "exact", "images": 20, "accuracy": accuracy, "loss": 0.1, "macro_f1": accuracy}
    return {
        "test": {"exact": block | {"confusion": [[right, 10 - right], [10 - right, right]]}},
        "parameters": {"classical": 1, "quantum": 1},
        "seconds": {"train": 1},
    }


def test_differences_are_paired_within_draws_and_averaged_over_seeds():
    runs = [((draw, seed), None, metrics(0.6 + 0.1 * draw)) for draw in range(3) for seed in range(2)]
    runs += [
        ((draw, seed), "twin", metrics(0.5 + 0.1 * draw + 0.1 * seed))
        for draw in range(3)
        for seed in range(2)
    ]
    summary = summarise(runs)
    (comparison,) = summary["comparisons"]
    assert (comparison.difference.mean, comparison.difference.count) == pytest.approx((0.05, 3))
    assert comparison.difference.half_width == pytest.approx(0, abs=1e-9)
    assert {row["run"]: row["runs"] for row in summary["rows"]} == {"network": 6, "twin": 6}
    assert list(summary["rows"][0]["values"]) == ["0:0", "0:1", "1:0", "1:1", "2:0", "2:1"]


def test_records_keep_every_draw(tmp_path):
    job = job_of("data.draws=2")
    runs = [
        Record(seed, control, settings_of(job.single((draw, seed), control)), metrics(0.5), {})
        for draw in (0, 1, 7)
        for seed in (0, 1)
        for control in (None, "twin")
    ]
    write_records(tmp_path / "row.json", job, Records(runs))
    found = read_records(tmp_path / "row.json", job)
    assert [(run.repeat(job), run.control) for run in found.runs] == [
        ((draw, seed), control) for draw in (0, 1) for seed in (0, 1) for control in (None, "twin")
    ]
    assert found.left_out == ["4 runs were left out, made with other settings (data.seed 7, here 0)."]


def test_published_images_are_resized_as_asked(root):
    whole = data.load("mnist", root, train_samples=30, test_samples=10, validation=0)
    plain = data.load("mnist", root, train_samples=30, test_samples=10, validation=0, image_size=14)
    named = data.load(
        "mnist", root, train_samples=30, test_samples=10, validation=0, image_size=14, resize="bilinear"
    )
    smooth = data.load(
        "mnist", root, train_samples=30, test_samples=10, validation=0, image_size=14, resize="antialias"
    )
    images = whole.train.images
    half = interpolate(images.float() / 255, size=(14, 14), mode="bilinear", align_corners=False)
    # Half the size between nearest pixels is the mean of each 2 × 2 pixels.
    assert torch.allclose(half, (images.float() / 255).unfold(2, 2, 2).unfold(3, 2, 2).mean((-2, -1)))
    assert torch.allclose(plain.train.images, half)
    assert torch.equal(named.train.images, plain.train.images)
    assert torch.equal(smooth.train.images, resize(images, [14, 14], antialias=True))
    assert (plain.preprocessing.size, plain.preprocessing.image_size) == ((28, 28), 14)
    assert (smooth.preprocessing.size, smooth.preprocessing.image_size) == ((14, 14), None)
    with pytest.raises(
        MissingDataError,
        match="`resize` must be one of 'bilinear', 'antialias', but is 'cubic'",
    ):
        data.load("mnist", root, resize="cubic")
    with pytest.raises(
        MissingDataError, match="custom images and MedMNIST's are always resized with antialiasing"
    ):
        data.load("npz", path="x.npz", resize="bilinear")
