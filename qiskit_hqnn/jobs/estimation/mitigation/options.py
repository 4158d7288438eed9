"""Which errors to mitigate, in words."""

from __future__ import annotations

from dataclasses import dataclass

from qiskit_hqnn.errors import MitigationError

SEQUENCES = ("XX", "XpXm", "XY4", "delays")
READOUT = ("trex", "m3")
POINTS_NEEDED = {"linear": 2, "exponential": 2, "quadratic": 3}


@dataclass(frozen=True)
class MitigationOptions:
    """Which errors to mitigate.

    All of them combine, with two exceptions: "trex" has measurement twirling in it already, and with "m3" the twirled
    readout is calibrated as the symmetric channel that the flips make of it.

    Args:
        readout: None; "trex": measured bits are flipped at random and back, which makes the readout error of a string
            a factor; the factor is measured on |0…0⟩ and divided out (van den Berg et al. 2022, arXiv:2012.09738,
            eq. (7)); or "m3": the assignment matrix, calibrated qubit by qubit, is inverted (Nation et al. 2021,
            arXiv:2108.12518, eq. (5)), the whole of it, since a Pauli string reads a product over its bits from it.
        zne: None, or odd noise factors such as (1, 3, 5): each two-qubit gate is replaced by this many copies that
            cancel, and every Pauli string is extrapolated to no noise (Giurgica-Tiron et al. 2020, arXiv:2005.10921,
            sec. III).
        extrapolation: "linear", "quadratic" or "exponential".
        randomizations: random draws of each twirl; the shots are spread over them.
        dynamical_decoupling: None, or pulses in the idle times of a circuit that is scheduled as late as possible:
            "XX", "XpXm" (X and −X) or "XY4"; "delays" schedules in the same way without any pulse, which is the
            control for these (a simulator sees idle noise only where a circuit says that a qubit waits).
        twirl_gates: conjugate Clifford two-qubit gates by random Paulis, which makes their error a Pauli channel
            (Wallman & Emerson 2016, arXiv:1512.01098, section II).
        twirl_measure: flip measured bits at random and back; without "trex" or "m3" this only makes the readout error
            symmetric.

    Raises:
        MitigationError: if a word is unknown, or the noise factors do not fit the extrapolation.
    """

    readout: str | None = None
    zne: tuple[int, ...] | None = None
    extrapolation: str = "exponential"
    randomizations: int = 16
    dynamical_decoupling: str | None = None
    twirl_gates: bool = False
    twirl_measure: bool = False

    def __post_init__(self) -> None:
        _check_word("readout", self.readout, READOUT)
        _check_word("dynamical_decoupling", self.dynamical_decoupling, SEQUENCES)
        if self.extrapolation not in POINTS_NEEDED:
            raise MitigationError(
                f"Option `extrapolation` must be one of {', '.join(map(repr, POINTS_NEEDED))}, but is "
                f"{self.extrapolation!r}."
            )
        if self.zne is not None:
            if not isinstance(self.zne, tuple | list) or not all(type(factor) is int for factor in self.zne):
                raise MitigationError(
                    f"Option `zne` must be None, or odd whole factors such as (1, 3, 5), but is {self.zne!r}."
                )
            factors = tuple(self.zne)
            object.__setattr__(self, "zne", factors)
            needed = POINTS_NEEDED[self.extrapolation]
            if len(set(factors)) < max(needed, len(factors)) or any(f < 1 or f % 2 == 0 for f in factors):
                raise MitigationError(
                    f"Option `zne` must be at least {needed} different odd factors for {self.extrapolation!r} "
                    f"extrapolation, but is {factors}."
                )
        if type(self.randomizations) is not int or self.randomizations < 1:
            raise MitigationError(
                f"Option `randomizations` must be a whole number of at least 1, but is {self.randomizations!r}."
            )
        if self.flips and self.randomizations % 2:
            raise MitigationError(
                "Option `randomizations` must be even where readout is twirled (each flip comes with its complement), "
                f"but is {self.randomizations}."
            )

    @property
    def active(self) -> bool:
        return self != MitigationOptions(extrapolation=self.extrapolation, randomizations=self.randomizations)

    @property
    def flips(self) -> bool:
        """Whether measured bits are flipped at random and back."""
        return self.twirl_measure or self.readout == "trex"

    @property
    def draws(self) -> int:
        """Circuits that the shots of one measured basis are spread over."""
        return self.randomizations if self.flips or self.twirl_gates else 1


def _check_word(option: str, word: str | None, known: tuple[str, ...]) -> None:
    if word is not None and word not in known:
        words = ", ".join(map(repr, known[:-1])) + f" or {known[-1]!r}"
        raise MitigationError(f"Option `{option}` must be None, {words}, but is {word!r}.")
