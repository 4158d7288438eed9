"""As few shots as a decision needs: doubts by the normal law, rounds up to a budget, decisions that hold."""

from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
import torch
from qiskit.primitives.containers import DataBin

from qiskit_hqnn.circuits import hqnn_parallel
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer, manager_at
from qiskit_hqnn.training.deciding import _doubts, budgets, check_confidence, decide, with_full_budget


def test_each_round_doubles_what_an_image_has_had_up_to_the_budget():
    assert budgets(1000) == [32, 64, 128, 256, 512, 1000]
    assert budgets(100) == [16, 32, 64, 100]
    assert (budgets(1), budgets(16)) == ([1], [16])
    for shots in range(1, 300):
        plan = budgets(shots)
        assert plan[-1] == shots
        assert all(before < after <= 2 * before for before, after in pairwise(plan))


@pytest.mark.parametrize("confidence", [0.5, 1, 0, 1.5, float("nan"), "0.9", True])
def test_a_confidence_out_of_range_is_one_sentence(confidence):
    with pytest.raises(HQNNError, match=r"must be above 0.5 and below 1, such as 0.99, but is"):
        check_confidence(confidence)


def test_doubt_is_the_normal_laws_chance_that_a_margin_has_the_wrong_sign():
    head = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    means = torch.tensor([[0.5, 0.4], [0.1, -0.3]])
    variances = np.array([[0.01, 0.04], [0.0004, 0.0001]])
    values, doubt = _doubts(lambda outputs: outputs @ head.T, means, variances)
    normal = NormalDist().cdf
    # Class 0 leads: by 1.0 - 0.4 of class 1, by 1.0 of class 2; variances 4 · 0.01 + 0.04 and 4 · 0.01.
    first = normal(-0.6 / 0.08**0.5) + normal(-1.0 / 0.04**0.5)
    second = normal(-0.5 / 0.0017**0.5) + normal(-0.2 / 0.0016**0.5)
    assert values.argmax(dim=1).tolist() == [0, 0]
    np.testing.assert_allclose(doubt, [first, second], rtol=1e-4)


def layer_and_features(images=150):
    torch.manual_seed(7)
    layer = QuantumLayer(hqnn_parallel(2, 1), copies=2)
    head = torch.randn(3, 4)
    return layer, lambda outputs: outputs @ head.T.to(outputs), torch.randn(images, 4)


def test_decisions_are_those_of_exact_values_for_a_part_of_the_shots():
    layer, decode, features = layer_and_features()
    estimator, asked = manager_at("exact", shots=1000, seed=3).estimator(), []

    def ask(pub, number):
        asked.append((number, pub.parameter_values.shape[0] // 2, round(pub.precision**-2)))
        return estimator.run([pub]).result()[0].data

    found = decide(layer, decode, features, ask, 1000, 0.99)
    in_rounds = list(asked)
    full = with_full_budget(layer, decode, features, found, ask, 1000)
    decided = ~found.open
    changed = (found.outputs.argmax(dim=1) != full.argmax(dim=1)).numpy()
    assert changed[decided].mean() <= 0.01
    assert not changed[found.shots == 1000].any()
    # Each image has had the full budget then, and no more.
    rest = asked[len(in_rounds) :]
    assert sum(images * shots for _, images, shots in asked) == 150 * 1000
    assert [images for _, images, _ in rest] == [(found.shots == 1000 - shots).sum() for _, _, shots in rest]
    with torch.no_grad():
        exact = decode(layer(features))
    assert (full.argmax(dim=1) == exact.argmax(dim=1)).numpy()[decided].mean() >= 0.98
    assert (full - exact).abs().max() < 0.4
    asked = in_rounds
    assert found.shots.mean() < 520
    assert (found.shots[found.open] == 1000).all()
    assert asked[0] == (1, 150, 32)
    assert [shots for _, _, shots in asked] == [32, 32, 64, 128, 256, 488]
    assert [images for _, images, _ in asked] == sorted((images for _, images, _ in asked), reverse=True)
    assert sum(images * shots for _, images, shots in asked) == found.shots.sum()
    # The estimates are means over all of an image's shots.
    with torch.no_grad():
        off = (found.outputs - decode(layer(features))).abs().mean(dim=1).numpy()
    assert off[found.shots == 1000].mean() < 0.5 * off[found.shots == 32].mean()


def test_outcomes_that_were_all_alike_are_not_taken_for_certain():
    layer, _, features = layer_and_features(1)

    def ask(pub, number):
        evs = np.ones(pub.shape)
        return DataBin(evs=evs, stds=np.zeros(pub.shape), shape=pub.shape)

    for other, shots, rounds in ((0.95, 64, 3), (-1.0, 16, 1)):

        def head(outputs, other=other):
            return torch.stack([outputs[:, 0], outputs[:, 0] * 0 + other], dim=1)

        found = decide(layer, head, features, ask, 64, 0.99)
        assert (found.shots.tolist(), found.rounds) == ([shots], rounds)


def test_a_tie_takes_the_whole_budget_and_stays_undecided():
    layer, _, features = layer_and_features(3)
    estimator = manager_at("exact", shots=40, seed=3).estimator()
    found = decide(
        layer,
        lambda outputs: outputs[:, :1].expand(-1, 2),
        features,
        lambda pub, number: estimator.run([pub]).result()[0].data,
        40,
        0.9,
    )
    assert found.shots.tolist() == [40, 40, 40]
    assert found.open.all()
