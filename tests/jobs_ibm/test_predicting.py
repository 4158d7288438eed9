"""Predictions of probabilities on hardware: priced, sent once, read from the same shots."""

import pytest
import torch

from qiskit_hqnn.errors import BudgetError
from qiskit_hqnn.jobs import Store
from qiskit_hqnn.training import load_run, run_job
from tests.data.test_own_data import write_pictures
from tests.training.test_loading import own_job


def test_probabilities_go_to_hardware_for_their_price(cloud, tmp_path):
    circuit = "ansatz='hqnn-parallel', options={num_qubits=2, depth=1}"
    model = f"model={{name='hybrid', {circuit}, layer='sampler', interpret='parity'}}"
    job = own_job(write_pictures(tmp_path / "pics"), model, "data.image_size=8")
    run = load_run(run_job(job, tmp_path / "run").path)
    images = run.splits.test.images[:2].float() / 255
    cloud.start()
    price = run.predictor.price(images, "ibm_manila", shots=2000)
    assert price.qpu_seconds > 0
    with pytest.raises(BudgetError):
        run.predict(images, "ibm_manila", 2000, max_qpu_seconds=price.qpu_seconds / 2)
    there = run.predict(images, "ibm_manila", 2000, max_qpu_seconds=price.qpu_seconds)
    snapshot = run.predict(images, "noisy:fake_manila")
    torch.testing.assert_close(there.probabilities, snapshot.probabilities, atol=0.1, rtol=0)
    (sent,) = Store(run.folder.path / "predictions.db").jobs()
    assert sent.place == "ibm_manila"
