"""Where a circuit runs: one word, parsed in one place only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from qiskit_hqnn.errors import DeviceError

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

_WORD = re.compile(r"exact|aer|(?:noisy:)?fake_\w+|ibm_\w+", re.ASCII)
_CHOICES = "'exact', 'noisy:fake_<device>', 'aer', 'fake_<device>' or 'ibm_<device>'"


class Where(str):
    """A place where circuits run.

    | word | what answers |
    |---|---|
    | `exact` | torch: expectation values |
    | `noisy:fake_<device>` | torch: exact expectation values under the noise of a device |
    | `aer` | Aer: samples without errors |
    | `fake_<device>` | Aer: samples under the noise of a snapshot of a device |
    | `ibm_<device>` | hardware of an IBM account |

    It is its word, checked: it is printed, stored and compared as a string, and is immutable. Whether a device of the
    name exists is not checked here.

    Example:
        >>> where = Where.parse("noisy:fake_fez")
        >>> where.noisy, where.sampled, where.device
        (True, False, 'fake_fez')
        >>> where == "noisy:fake_fez"
        True

    Raises:
        DeviceError: if the word is none of these.
    """

    __slots__ = ()

    def __new__(cls, word: object) -> Where:
        if isinstance(word, cls):
            return word
        if not isinstance(word, str) or not _WORD.fullmatch(word):
            raise DeviceError(f"A place must be {_CHOICES}, but is {word!r}.")
        return super().__new__(cls, word)

    @classmethod
    def parse(cls, word: object) -> Where:
        """The place that a word names.

        Raises:
            DeviceError: if it does not name a place.
        """
        return cls(word)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> CoreSchema:
        """As the type of a pydantic field: read from its word, and written as it."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(
            cls._of_field, core_schema.str_schema(), serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def _of_field(cls, word: str) -> Where:
        try:
            return cls(word)
        except DeviceError:
            raise ValueError(f"must be {_CHOICES}") from None

    @property
    def exact(self) -> bool:
        """Expectation values of ideal circuits, from torch."""
        return self == "exact"

    @property
    def noisy(self) -> bool:
        """Expectation values under a device's noise, from torch."""
        return self.startswith("noisy:")

    @property
    def simulated(self) -> bool:
        """Samples from Aer, ideal or under the noise of a snapshot; free, and finished when the call returns."""
        return self == "aer" or self.startswith("fake_")

    @property
    def hardware(self) -> bool:
        """Samples from a real device: queued, and paid."""
        return self.startswith("ibm_")

    @property
    def sampled(self) -> bool:
        """Whether a job manager samples there: `simulated` or `hardware`."""
        return self.simulated or self.hardware

    @property
    def device(self) -> str | None:
        """The device's word, such as "fake_fez" for "noisy:fake_fez"; None for `exact` and `aer`."""
        if self.exact or self == "aer":
            return None
        return self.removeprefix("noisy:")


@cache
def snapshot_words() -> tuple[str, ...]:
    """The words of all snapshots, as the folders of qiskit-ibm-runtime have them: to import it takes seconds."""
    package = find_spec("qiskit_ibm_runtime")
    places = (package.submodule_search_locations if package else None) or ()
    folders = [Path(place) / "fake_provider" / "backends" for place in places]
    found = (path for folder in folders for path in folder.iterdir() if path.is_dir())
    return tuple(sorted(f"fake_{path.name}" for path in found if not path.name.startswith("_")))


def check_devices(places: Iterable[Where]) -> None:
    """That the snapshots of places exist; devices of an account are asked for elsewhere.

    Raises:
        DeviceError: if there is no such snapshot.
    """
    for word in (place.device for place in places):
        if word is not None and word.startswith("fake_") and word not in snapshot_words():
            nearest = get_close_matches(word, snapshot_words(), 3, 0.4)
            hint = (
                f"the nearest are {', '.join(nearest)}"
                if nearest
                else f"there are {', '.join(snapshot_words())}"
            )
            raise DeviceError(f"There is no snapshot {word!r}; {hint}.")
