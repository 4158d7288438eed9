from .augmentation import AUGMENTATIONS, Augmentation
from .folders import pictures_below
from .image_set import ImageSet, as_float, as_it_is
from .names import DATASETS, HANDED_OVER, OWN, PUBLISHED_NAMES, WITH_NUMBERS, check_name
from .preprocessing import Preprocessing
from .reduction import encoder_of, reduce_by_autoencoder
from .sheet import draw_sheet
from .splits import Splits, from_dataset, load
from .surveying import Survey, survey
from .targets import Targets
from .twins import Twins

__all__ = [
    "AUGMENTATIONS",
    "DATASETS",
    "HANDED_OVER",
    "OWN",
    "PUBLISHED_NAMES",
    "WITH_NUMBERS",
    "Augmentation",
    "ImageSet",
    "Preprocessing",
    "Splits",
    "Survey",
    "Targets",
    "Twins",
    "as_float",
    "as_it_is",
    "check_name",
    "draw_sheet",
    "encoder_of",
    "from_dataset",
    "load",
    "pictures_below",
    "reduce_by_autoencoder",
    "survey",
]
