"""The word for where a circuit runs: five forms, four kinds, nothing else."""

import copy
import json

import pytest

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.where import Where

KINDS = {
    "exact": ("exact", None),
    "noisy:fake_fez": ("noisy", "fake_fez"),
    "aer": ("simulated", None),
    "fake_manila": ("simulated", "fake_manila"),
    "ibm_fez": ("hardware", "ibm_fez"),
}


@pytest.mark.parametrize("word", KINDS)
def test_a_word_is_of_one_kind_and_names_its_device(word):
    where = Where.parse(word)
    kind, device = KINDS[word]
    assert [name for name in ("exact", "noisy", "simulated", "hardware") if getattr(where, name)] == [kind]
    assert where.device == device
    assert where.sampled == (kind in ("simulated", "hardware"))


@pytest.mark.parametrize(
    "word",
    [
        *(
            "",
            "Exact",
            "exact ",
            " aer",
            "aer\n",
            "aer2",
            "fake_",
            "ibm_",
            "fake fez",
            "fez",
            "noisy",
            "noisy:",
        ),
        *(
            "noisy:aer",
            "noisy:exact",
            "noisy:ibm_fez",
            "noisy:noisy:fake_fez",
            "ibm_fez/../x",
            "fake_fez,aer",
        ),
        *("ibm_é", "ibm_fez\x1b[2J", None, 3, b"aer", ["aer"]),
    ],
)
def test_anything_else_is_refused_with_the_words_that_are_allowed(word):
    with pytest.raises(DeviceError, match="must be 'exact', 'noisy:fake_<device>', 'aer', .* but is"):
        Where.parse(word)


def test_it_stands_for_its_word_wherever_a_word_is_kept():
    where = Where.parse("fake_fez")
    assert Where.parse(where) is where
    assert where == "fake_fez"
    assert {"fake_fez": 1}[where] == 1
    assert json.dumps({where: where}) == '{"fake_fez": "fake_fez"}'
    assert f"{where}/{where!r}" == "fake_fez/'fake_fez'"
    again = copy.deepcopy(where)
    assert again == where
    assert again.simulated


def test_it_cannot_be_changed():
    where = Where.parse("aer")
    for name in ("hardware", "device", "note"):
        with pytest.raises(AttributeError):
            setattr(where, name, "ibm_fez")
