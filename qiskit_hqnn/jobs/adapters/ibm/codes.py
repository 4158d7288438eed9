"""IBM's registry of error codes: what each means for a request or a job that ended with it.

After https://quantum.cloud.ibm.com/docs/errors and the longer list in docs/errors.rst of earlier versions of the
runtime client, read in November 2026. A code that says "retry" or "wait" there is sent again, what has to be changed
first is not. Codes that neither lists are classed by their family, and those of the other families are unknown.
"""

from __future__ import annotations

import re
from typing import Literal

Meaning = Literal["again", "wait", "never", "smaller", "long", "session", "account", "cancelled", "unknown"]
"""again: passes by itself; wait: so does a limit on pending jobs or requests, or maintenance; never: the request has to
be changed; smaller: too large as a whole; long: stopped for its running time; session: its batch or session takes no
more jobs; account: nothing works until its owner acts; cancelled: somebody did it; unknown: a code of which nothing is
known, so that it is reported, and sent again only by a person."""

OPEN_PLAN_SESSION = 1352
"""A session on a plan that has none."""

_CODES: dict[Meaning, tuple[int, ...]] = {
    "again": (
        1000, 1006, 1008, 1010, 1011,  # internal, converter, validation process, backend level, queue
        2100, 2301, 2308, 2310, 2311, 2400, 2404, 2405, 2412, 2603, 2604, 2900, 2901, 2902, 2903, 2905, 2908,
        3202, 3203, 3204, 3208, 3210, 3212, 3213, 3214, 3233, 3234, 3235, 3251, 3253, 3259,  # storage, saving, cost
        3300, 3301, 3405, 3409, 3410, 3418, 3424, 3425, 3443, 3467, 3468, 3704, 3900, 3901, 3902, 3911, 3912, 3913,
        5203, 5204, 5205,  # failed to run
        9999,  # internal
    ),
    "wait": (1012, 1202, 1999, 2402, 3458),
    "never": (
        1002, 1003, 1004, 1005, 1007, 1009, 1101, 1103, 1104, 1105, 1106, 1107, 1108, 1109, 1204, 1205, 1517,
        2000, 2001, 2002, 2403, 2600, 2602, 2609, 2614, 2615, 2616, 2618, 2620, 2622, 2907,
        3200, 3207, 3209, 3211, 3215, 3216, 3218, 3220, 3224, 3226, 3228, 3229, 3230, 3236, 3237, 3239, 3243,
        3245, 3246, 3249, 3252, 3254, 3255, 3265, 3500, 3811,
        5201,  # timed out: "reduce the complexity of the job, or number of shots"
        6000, 6001, 6003, 7000, 7001, 7002, 7003, 7004, 7005, 7006, 8000, 8020,
    ),
    "smaller": (1001, 1102, 1203, 3242, 3248, 5302, 6002, 8031),
    "long": (1305,),
    "session": (1217, 1219, 4001),
    "account": (1200, 1201, 2407, 2408, 2409, 2410, 2411, 3400, 3402, 3407, 3440, 3444, 3445, 3446, 3452, 3453, 3459,
                3460, 4317),
    "cancelled": (5202,),
}  # fmt: skip

_MEANINGS: dict[int, Meaning] = {code: meaning for meaning, codes in _CODES.items() for code in codes}

NO_DEVICE = frozenset({1004, 1007, 1009, 1226, 2000, 2620})
"""The device is not there."""

_FAMILIES: dict[int, Meaning] = {1: "never", 3: "never", 6: "never", 7: "never", 8: "never"}
"""Of codes that the table does not have: validation, the API's checks, shots, instructions, pulses. The others (device,
session, run, internal) have both codes that pass by themselves and codes that do not."""


def meaning_of(code: int | None) -> Meaning | None:
    """What a code means, by the table, else by its family; None if there is none."""
    if code is None:
        return None
    return _MEANINGS.get(code) or _FAMILIES.get(code // 1000, "unknown")


def is_listed(code: int | None) -> bool:
    """Whether the table itself has a code."""
    return code in _MEANINGS


def code_in(text: str) -> int | None:
    """The number of an error, from words such as "Error code 1305; …" or "… [5201]"."""
    found = re.search(r"[Ee]rror code:? (\d{4})\b|\[(\d{4})\]", text)
    return int(found.group(1) or found.group(2)) if found else None


def as_code(value: object) -> int | None:
    """A code as the service gives it: a number, or a text of digits."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if re.fullmatch(r"\d{1,6}", text) else None


_TOO_LONG = re.compile(
    r"ran (for )?too long|longer than (the |its )?max|max\w* (execution )?time", re.IGNORECASE
)


def says_too_long(words: str) -> bool:
    """Whether a status or a reason without a code says that a job was stopped for its running time."""
    return _TOO_LONG.search(words) is not None
