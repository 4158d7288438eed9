"""Text from outside does nothing to a terminal."""

import random
import unicodedata

import pytest

from qiskit_hqnn._text import one_line, plain

ACTING = {"Cc", "Cs", "Zl", "Zp"}
REVERSING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07\x1b[2J", r"\x1b]0;title\x07\x1b[2J"),
        ("over\rwritten", r"over\rwritten"),
        ("\x9b31m", r"\x9b31m"),
        ("abc\u202egnp.exe", r"abc\u202egnp.exe"),
        ("\udcff.png", r"\udcff.png"),
        ("Qubit 3 → [best] ⟨ZZ⟩ 日本 é 👩‍🔬", "Qubit 3 → [best] ⟨ZZ⟩ 日本 é 👩‍🔬"),
        ("a\tb\n", "a\tb\n"),
    ],
)
def test_control_characters_are_written_out(text, shown):
    assert plain(text) == shown


def test_nothing_that_acts_is_left_of_any_text():
    generator = random.Random(0)
    everything = [chr(number) for number in range(0x3000) if unicodedata.category(chr(number)) != "Cn"]
    everything += ["\ud800", "\udfff", "\ufeff", "\U0001f600"]
    for _ in range(300):
        shown = one_line("".join(generator.choices(everything, k=80)))
        assert not [sign for sign in shown if unicodedata.category(sign) in ACTING or sign in REVERSING]
        shown.encode()


def test_a_name_adds_no_lines():
    assert one_line("one\ntwo\tthree") == r"one\ntwo\tthree"
    assert one_line(3) == "3"
