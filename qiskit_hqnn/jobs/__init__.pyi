from .adapters import BackendAdapter, JobState, SamplingOptions
from .both_ways import price_the_other_way, the_other_way
from .budget import Meter, Paid, Spending
from .devices import Device, ISATemplate, resolve_device, snapshot_names, transpile_template
from .estimation import MitigationOptions
from .manager import JobManager
from .plans import PLANS, Plan, in_words, plan_of
from .price import Price, price_requests
from .recording import JobFailedError, expectation_values
from .sending import Patience
from .store import Store
from .tiling import Tiles
from .worker import ensure_worker

__all__ = [
    "PLANS",
    "BackendAdapter",
    "Device",
    "ISATemplate",
    "JobFailedError",
    "JobManager",
    "JobState",
    "Meter",
    "MitigationOptions",
    "Paid",
    "Patience",
    "Plan",
    "Price",
    "SamplingOptions",
    "Spending",
    "Store",
    "Tiles",
    "ensure_worker",
    "expectation_values",
    "in_words",
    "plan_of",
    "price_requests",
    "price_the_other_way",
    "resolve_device",
    "snapshot_names",
    "the_other_way",
    "transpile_template",
]
