"""A run on own pictures that several files of tests look at."""

import pytest

from qiskit_hqnn.training import load_run, run_job
from tests.data.test_own_data import write_pictures
from tests.pictures import blank_pictures, pictures
from tests.training.test_loading import own_job

__all__ = ["blank_pictures", "own_run", "pictures"]


@pytest.fixture(scope="session")
def own_run(tmp_path_factory):
    """A trained run of three classes, and three of its pictures."""
    place = tmp_path_factory.mktemp("own-run")
    pictures = write_pictures(place / "pics")
    run = run_job(own_job(pictures, "data.image_size=8"), place / "run", progress=False)
    return load_run(run.path), sorted(pictures.rglob("*.png"))[:3]
