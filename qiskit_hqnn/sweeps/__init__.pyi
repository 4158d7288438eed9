from .grid import Point, read_points
from .judging import Judged, Row, judge
from .pages import table_of, write_sweep
from .side_by_side import Outcome, Plan, plans_of, run_plans
from .sweeping import run_sweep, run_test_sets

__all__ = [
    "Judged",
    "Outcome",
    "Plan",
    "Point",
    "Row",
    "judge",
    "plans_of",
    "read_points",
    "run_plans",
    "run_sweep",
    "run_test_sets",
    "table_of",
    "write_sweep",
]
