"""Images reduced to a few features by an autoencoder, as in the re-uploading article."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.utils.data import DataLoader

from qiskit_hqnn._files import write_bytes
from qiskit_hqnn.data.image_set import ImageSet, as_float, as_it_is
from qiskit_hqnn.data.names import DEFAULT_ROOT
from qiskit_hqnn.data.splits import Splits

EPOCHS, BATCH, LEARNING_RATE, FEATURES = 1, 32, 1e-3, 64


class Autoencoder(nn.Module):
    """784 → 196 → 64 → 64 features → 64 → 196 → 784, ReLU, a sigmoid on the features.

    "Hybrid Quantum Neural Network for reduced MNIST Data" (2021); layer sizes from public copies of its listing.
    """

    def __init__(self, pixels: int = 784) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(pixels, 196),
            nn.ReLU(),
            nn.Linear(196, 64),
            nn.ReLU(),
            nn.Linear(64, FEATURES),
            nn.Sigmoid(),
        )
        self.decoder = nn.Sequential(
            nn.Linear(FEATURES, 64),
            nn.ReLU(),
            nn.Linear(64, 196),
            nn.ReLU(),
            nn.Linear(196, pixels),
            nn.ReLU(),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Reconstruction (batch, pixels) of images (batch, …)."""
        return self.decoder(self.encoder(images.flatten(1)))


def reduce_by_autoencoder(splits: Splits, root: Path, settings: str) -> Splits:
    """Replace the images by 64 features each, from an autoencoder trained on the training images alone.

    Mean absolute error, Adam, one epoch, as published. The autoencoder is cached under `root` by its settings, if that
    folder exists or is the default one.

    Args:
        splits: images.
        root: folder of the data sets.
        settings: everything that the training images depend on, as text.
    """
    identity = f"{settings} {EPOCHS} {BATCH} {LEARNING_RATE} {FEATURES}"
    path = root / "autoencoders" / f"{sha256(identity.encode()).hexdigest()[:16]}.safetensors"
    pixels = splits.train.images[0].numel()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Autoencoder(pixels)
        if path.exists():
            model.load_state_dict(load_file(path))
        else:
            _train(model, splits.train)
            if root.is_dir() or root == DEFAULT_ROOT:
                write_bytes(path, save(dict(model.state_dict())))
    train, validation, test = (encoded(model.encoder, part) for part in splits.parts.values())
    return replace(splits, train=train, validation=validation, test=test, encoder=model.encoder.eval())


def encoder_of(tensors: dict[str, Tensor]) -> nn.Module:
    """The encoder alone, from its weights."""
    model = Autoencoder(tensors["0.weight"].shape[1]).encoder
    model.load_state_dict(tensors)
    return model.eval()


def _train(model: Autoencoder, images: ImageSet) -> None:
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    loader: DataLoader[object] = DataLoader(images, BATCH, shuffle=True, collate_fn=as_it_is)  # type: ignore[arg-type]
    for _ in range(EPOCHS):
        for batch, _labels in loader:
            optimizer.zero_grad()
            nn.functional.l1_loss(model(batch), batch.flatten(1)).backward()
            optimizer.step()


@torch.no_grad()
def encoded(encoder: nn.Module, images: ImageSet) -> ImageSet:
    """The features (N, 64) of images."""
    chunks = [encoder(as_float(chunk).flatten(1)) for chunk in images.images.split(4096)]
    return ImageSet(torch.cat(chunks) if chunks else torch.empty(0, FEATURES), images.labels)
