"""Mistakes in a job are told in one sentence, before anything is trained or written."""

import pytest

from qiskit_hqnn import data, models
from qiskit_hqnn.errors import DeviceError, HQNNError, JobFileError, MissingDataError
from qiskit_hqnn.training import find_job, read_job, run_job

SMALL = ["train.epochs=1", "data.train_samples=40", "data.test_samples=10", "test=['exact']"]
TINY = [*SMALL, "model.num_qubits=2", "model.depth=1", "model.copies=1"]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("train.epochs=true", "train.epochs is true: must be a whole number"),
        ("train.epochs='30'", "train.epochs is '30': must be a whole number"),
        ("train.epochs=100000000000000", "must be at most 1000000"),
        ("train.learning_rate=inf", "train.learning_rate is inf: must be a finite number"),
        ("train.learning_rate=nan", "train.learning_rate is nan: must be"),
        ("max_qpu_seconds=inf", "max_qpu_seconds is inf: must be a finite number"),
        ("train.threads=100000", "train.threads is 100000: must be at most 1024"),
        ("data.image_size=100000", "data.image_size is 100000: must be at most 1024"),
        ("seeds=[-1]", "seeds is -1: must be at least 0"),
        ("seeds=[99999999999999999999]", "must be at most 4294967295"),
        ("seeds=[0, 0]", r"seeds is \[0, 0\]: must name each only once"),
        ("controls=['twin', 'twin']", "must name each only once"),
        ("data.classes=[0]", r"data.classes is \[0\]: must have at least 2"),
        ("data.validation=1.0", "data.validation is 1.0: must be a number of images such as 500, or a share"),
        ("train=3", r"train is 3: must be a section: \[train\]"),
        ("tiles=0", "tiles is 0: must be 'auto' or a whole number from 1 to 10000"),
        ("tiles=true", "tiles is true: must be 'auto' or a whole number"),
        ("tiles='many'", "tiles is 'many': must be 'auto' or a whole number"),
        ("tiles=4", "tiles is 4: takes effect on devices only, but where and test name none"),
        ("mitigation.zne=[2, 4]", "Option `zne` must be at least 2 different odd factors"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_where_it_was_given(setting, sentence):
    with pytest.raises(JobFileError, match=sentence) as error:
        read_job(find_job("quickstart"), [setting])
    if "zne" not in setting:
        assert str(error.value).startswith("--set: ")


def test_autograd_is_refused_off_the_exact_simulator():
    with pytest.raises(
        JobFileError,
        match="gradient is 'autograd': needs where = 'exact' or 'noisy:fake_<device>', but where is 'aer'",
    ):
        read_job(find_job("quickstart"), ["where='aer'", "gradient='autograd'"])


def test_folders_and_unreadable_bytes_are_no_job_files(tmp_path):
    with pytest.raises(JobFileError, match="must be a TOML file, but .* is a folder"):
        read_job(tmp_path)
    (tmp_path / "job.toml").write_text("")
    with pytest.raises(JobFileError, match=r"is a run folder, not a job file; its job file is .*job\.toml"):
        read_job(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(JobFileError, match="is not a text in UTF-8"):
        read_job(tmp_path / "bytes.toml")


@pytest.mark.parametrize(
    ("name", "option", "value", "allowed"),
    [
        ("hqnn-parallel", "copies", 1.5, "a whole number from 1 to 10000"),
        ("hqnn-parallel", "copies", True, "a whole number from 1 to 10000"),
        ("hqnn-parallel", "num_qubits", "5", "a whole number from 1 to 10000"),
        ("hqnn-parallel", "num_qubits", 1_000_000, "a whole number from 1 to 10000"),
        ("hqnn-quanv", "stride", 0, "a whole number from 1 to 10000"),
        ("vqc-head", "dropout", 1.5, "a number from 0 to 1"),
        ("hqnn-parallel", "squash", 3, "a word"),
    ],
)
def test_a_models_options_have_types(name, option, value, allowed):
    with pytest.raises(
        HQNNError, match=f"Option '{option}' of model '{name}' must be {allowed}, but is {value!r}"
    ):
        models.build(name, **{option: value})


@pytest.mark.parametrize(
    ("job", "settings", "sentence"),
    [
        ("textbook-01", ["data.name='digits'"], r"'textbook' does not take the data's samples of shape \(1, 8, 8\)"),
        ("textbook-01", ["data.name='digits'", "data.image_size=28", "data.classes=[0, 1, 2]"], "has 2 outputs, but"),
        ("quickstart", ["model.channels=3"], "to have 3 channels"),
        ("quickstart", ["model.num_qubits=40", "model.depth=1"], "too large: Exact values of 40 qubits .*8.0 TiB"),
        ("quickstart", ["model.num_qubits=20", "model.depth=1", "where='noisy:fake_fez'"],
         r"A place is 'noisy:fake_fez', but .* too large: .*4\^20 real numbers .* TiB in all.* or Aer"),
        ("hqnn-quanv", ["data.name='digits'", "data.image_size=1"], r"of shape \(1, 1, 1\)"),
    ],
)  # fmt: skip
def test_a_model_that_does_not_fit_the_data_is_told_before_a_folder_is_made(
    tmp_path, job, settings, sentence
):
    content = read_job(find_job(job), [*SMALL, "data.validation=0.1", *settings]).single(0, None)
    with pytest.raises(JobFileError, match=sentence):
        run_job(content, tmp_path / "run", tmp_path, progress=False)
    assert not (tmp_path / "run").exists()


def test_an_unknown_snapshot_of_the_test_is_told_before_training(tmp_path):
    content = read_job(find_job("quickstart"), [*TINY, "test=['exact', 'fake_fezz']"])
    with pytest.raises(DeviceError, match="no snapshot 'fake_fezz'; the nearest are fake_fez"):
        run_job(content, tmp_path / "run", tmp_path, progress=False)
    assert not (tmp_path / "run").exists()


def test_batch_norm_is_not_trained_on_single_images(tmp_path):
    content = read_job(find_job("quickstart"), [*TINY, "train.batch_size=1"])
    with pytest.raises(JobFileError, match="two images at least: train.batch_size is 1"):
        run_job(content, tmp_path, tmp_path, progress=False)


def test_a_training_that_fails_in_its_first_epoch_does_not_keep_its_folder(tmp_path):
    diverging = read_job(find_job("quickstart"), [*TINY, "train.learning_rate=1e30"])
    with pytest.raises(HQNNError, match="must be finite"):
        run_job(diverging, tmp_path, tmp_path, progress=False)
    run = run_job(read_job(find_job("quickstart"), TINY), tmp_path, tmp_path, progress=False)
    assert run.metrics()["test"]["exact"]["images"] == 10


def test_image_folders_without_images_or_with_broken_ones_are_told(tmp_path):
    for part in ("train", "test"):
        for name in ("a", "b"):
            (tmp_path / "medical-mnist" / part / name).mkdir(parents=True)
    with pytest.raises(MissingDataError, match="not one image in .*medical-mnist/train/CLASS"):
        data.load("medical-mnist", tmp_path)
    (tmp_path / "medical-mnist/train/a/1.jpeg").write_bytes(b"no picture")
    with pytest.raises(MissingDataError, match="1.jpeg cannot be read as an image"):
        data.load("medical-mnist", tmp_path)


def test_tiles_and_pulses_are_refused_together():
    settings = ["test=['fake_fez']", "tiles='auto'", "mitigation.dynamical_decoupling='XY4'"]
    with pytest.raises(JobFileError, match="dynamical_decoupling = 'XY4' does not go with tiles"):
        read_job(find_job("quickstart"), settings)
    assert read_job(find_job("quickstart"), settings[:2]).tiles == "auto"


def test_tiles_that_do_not_fit_are_refused_before_training(tmp_path):
    job = read_job(find_job("quickstart"), [*TINY, "test=['fake_manila']", "tiles=9"])
    with pytest.raises(
        DeviceError, match="`tiles` is 9, but fake_manila has room for 2 regions of 2 qubits, each"
    ):
        run_job(job, tmp_path / "run")
    assert not (tmp_path / "run").exists()
