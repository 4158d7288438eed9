"""QPU seconds in money: the rates of IBM's plans, and the share of the free plan that a price uses."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from qiskit_hqnn._checks import quoted, suggestion
from qiskit_hqnn.errors import HQNNError

AS_OF = "November 2026"
"""Date of IBM's price list for `PLANS`; `plan_of("1.25/s")` is a custom rate."""

_OWN_RATE = re.compile(r"\$?\s*(\d+(?:\.\d+)?)\s*\$?\s*/\s*(s|min|h)")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Plan:
    """The price of a QPU second, or the number of them in a plan.

    Attributes:
        name: the word for `--plan`.
        rate: dollars a unit; 0 for a plan that is free.
        unit: "s", "min" or "h".
        seconds: QPU seconds that the plan gives in each period; None where all are paid.
        days: length of the period.

    Example:
        >>> PLANS["pay-as-you-go"].dollars(22.4)
        35.84
        >>> PLANS["open"].describe(22.4)
        'open plan: 3.7 % of its 600 s in 28 days'
    """

    name: str
    rate: float = 0.0
    unit: str = "s"
    seconds: float | None = None
    days: float = 28.0

    def dollars(self, qpu_seconds: float) -> float:
        """The price of this many QPU seconds, to a cent."""
        return round(self.rate / _SECONDS[self.unit] * qpu_seconds, 2)

    def cost(self, qpu_seconds: float) -> str:
        """Dollars, or the share of what the plan gives in a period."""
        if self.seconds is None:
            return f"${self.dollars(qpu_seconds):,.2f}"
        share = qpu_seconds / self.seconds
        return f"{100 * share:.1f} %" if share <= 1 else f"{share:,.1f} periods"

    def describe(self, qpu_seconds: float) -> str:
        """The price or share of this many QPU seconds on this plan, in words."""
        if self.seconds is None:
            known = f", {AS_OF}" if self.name in PLANS else ""
            return f"{self.cost(qpu_seconds)} at {self.rate:,.2f} $/{self.unit} ({self.name}{known})"
        given = f"its {self.seconds:,.0f} s in {self.days:.0f} days"
        if qpu_seconds <= self.seconds:
            return f"{self.name} plan: {self.cost(qpu_seconds)} of {given}"
        periods = math.ceil(qpu_seconds / self.seconds)
        wait = in_words((periods - 1) * self.days * 86400)
        return (
            f"{self.name} plan: more than {given}; {periods:,} periods, so the last part starts after {wait}"
        )


PLANS = {
    plan.name: plan
    for plan in (
        Plan("open", seconds=600.0),
        Plan("pay-as-you-go", 1.60),
        Plan("flex", 72.0, "min"),
        Plan("premium", 48.0, "min"),
    )
}
"""IBM's plans by their words, as of `AS_OF`."""


def plan_of(word: str) -> Plan:
    """A plan by its word, or a rate in dollars such as "1.25/s", "60/min" or "3000/h".

    Raises:
        HQNNError: if it is neither.
    """
    if word in PLANS:
        return PLANS[word]
    found = _OWN_RATE.fullmatch(word.strip())
    if found is None:
        raise HQNNError(
            f"A plan must be one of {quoted(PLANS)}, or a rate in dollars such as '1.25/s' or '60/min', but is "
            f"{word!r}{suggestion(word, PLANS)}"
        )
    return Plan("own rate", float(found[1]), found[2])


def in_words(seconds: float) -> str:
    """A length of time in the largest unit of which it has one: "22.4 s", "5.2 hours", "46.4 days"."""
    for unit, length in (("years", 365.25 * 86400), ("days", 86400.0), ("hours", 3600.0), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.1f} s"


def qpu_time(seconds: float) -> str:
    """QPU seconds, from an hour on also in hours or days: "4,008,248.0 QPU seconds (46.4 days)"."""
    longer = f" ({in_words(seconds)})" if seconds >= 3600 else ""
    return f"{seconds:,.1f} QPU seconds{longer}"
