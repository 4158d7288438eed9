"""Small data sets in the formats that are published: handwritten digits of scikit-learn stand in for the images."""

import gzip
import struct

import numpy as np
import torch
from sklearn.datasets import load_digits
from torchvision.io import write_jpeg


def _digits(count, side):
    """`count` digits, the classes in turn, as bytes (count, side, side), and their labels."""
    bunch = load_digits()
    order = np.argsort(
        [np.sum(bunch.target[:i] == label) for i, label in enumerate(bunch.target)], kind="stable"
    )
    scale = -(-side // 8)
    images = (bunch.images[order[:count]] * (255 / 16)).repeat(scale, axis=1).repeat(scale, axis=2)
    return images[:, :side, :side].astype(np.uint8), bunch.target[order[:count]]


def write_idx_sets(root, name, train=240, test=120):
    """MNIST's or Fashion-MNIST's own files."""
    raw = root / name / "raw"
    raw.mkdir(parents=True)
    images, labels = _digits(train + test, 28)
    for part, rows in (("train", slice(0, train)), ("t10k", slice(train, train + test))):
        for kind, array in (("images-idx3", images[rows]), ("labels-idx1", labels[rows])):
            header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
            content = header + array.astype(np.uint8).tobytes()
            path = raw / f"{part}-{kind}-ubyte"
            path.write_bytes(content)
            path.with_suffix(".gz").write_bytes(gzip.compress(content))


def write_tree(root, name, classes, side, train=6, test=4):
    """Folders of JPEG images, one for each class."""
    images, _ = _digits(classes * (train + test), side)
    for index, image in enumerate(images):
        label, number = index % classes, index // classes
        folder = root / name / ("train" if number < train else "test") / f"class-{label}"
        folder.mkdir(parents=True, exist_ok=True)
        colour = torch.from_numpy(image).expand(3, -1, -1).contiguous()
        write_jpeg(colour, str(folder / f"{number}.jpeg"))


def write_all(root):
    """All data sets of the job files."""
    write_idx_sets(root, "MNIST")
    write_idx_sets(root, "FashionMNIST")
    write_tree(root, "cifar10", 10, 32)
    write_tree(root, "medical-mnist", 6, 64)
    return root
