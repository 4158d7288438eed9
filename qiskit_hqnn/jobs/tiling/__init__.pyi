from . import recipe
from .choosing import Region, find_regions
from .estimation import Planned, TiledEstimation, prepare_tiled
from .options import Tiles, tiles_of
from .regions import Regions, regions_of
from .samples import SamplePlan, plan_samples, plan_tiled_samples

__all__ = [
    "Planned",
    "Region",
    "Regions",
    "SamplePlan",
    "TiledEstimation",
    "Tiles",
    "find_regions",
    "plan_samples",
    "plan_tiled_samples",
    "prepare_tiled",
    "recipe",
    "regions_of",
    "tiles_of",
]
