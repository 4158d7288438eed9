"""MedMNIST v2's two-dimensional sets, from their npz files (Yang et al. 2023, doi:10.1038/s41597-022-01721-8)."""

from __future__ import annotations

from pathlib import Path

from qiskit_hqnn._checks import suggestion
from qiskit_hqnn.data.arrays import read_npz
from qiskit_hqnn.data.source import Source
from qiskit_hqnn.errors import MissingDataError

PREFIX = "medmnist:"
"""Prefix of the word of such a data set, as in "medmnist:pathmnist"."""

_ORGANS = (
    "bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right", "liver", "lung-left", "lung-right",
    "pancreas", "spleen",
)  # fmt: skip

CLASSES: dict[str, tuple[str, ...]] = {
    "pathmnist": (
        "adipose", "background", "debris", "lymphocytes", "mucus", "smooth muscle", "normal colon mucosa",
        "cancer-associated stroma", "colorectal adenocarcinoma epithelium",
    ),
    "dermamnist": (
        "actinic keratoses and intraepithelial carcinoma", "basal cell carcinoma", "benign keratosis-like lesions",
        "dermatofibroma", "melanoma", "melanocytic nevi", "vascular lesions",
    ),
    "octmnist": ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    "pneumoniamnist": ("normal", "pneumonia"),
    "retinamnist": ("0", "1", "2", "3", "4"),
    "breastmnist": ("malignant", "normal, benign"),
    "bloodmnist": (
        "basophil", "eosinophil", "erythroblast", "immature granulocytes", "lymphocyte", "monocyte", "neutrophil",
        "platelet",
    ),
    "tissuemnist": (
        "collecting duct, connecting tubule", "distal convoluted tubule", "glomerular endothelial cells",
        "interstitial endothelial cells", "leukocytes", "podocytes", "proximal tubule segments",
        "thick ascending limb",
    ),
    "organamnist": _ORGANS,
    "organcmnist": _ORGANS,
    "organsmnist": _ORGANS,
}  # fmt: skip
"""Class names by label, for each set with one label per image."""

_SEVERAL_LABELS = "chestmnist"


def read_medmnist(
    name: str, root: Path, size: tuple[int, int] | None = None, channels: int | None = None
) -> Source:
    """A set by its word, from ROOT/NAME.npz or ROOT/medmnist/NAME.npz.

    Raises:
        MissingDataError: if there is no such set, or its file is missing.
    """
    word = name.removeprefix(PREFIX)
    if word == _SEVERAL_LABELS:
        raise MissingDataError(
            f"Data set {name!r} has several labels per image, which is not supported: choose another one."
        )
    if word not in CLASSES:
        known = [PREFIX + known for known in CLASSES]
        raise MissingDataError(
            f"A set of MedMNIST must be one of {', '.join(known)}, but is {name!r}{suggestion(name, known)}"
        )
    places = [root / f"{word}.npz", root / "medmnist" / f"{word}.npz"]
    path = next((place for place in places if place.exists()), None)
    if path is None:
        raise MissingDataError(
            f"Data set {name!r} is read from {places[0]} or {places[1]}, which do not exist: put MedMNIST's file "
            f"{word}.npz there, or use another data root."
        )
    return read_npz(path, size, channels, CLASSES[word])
