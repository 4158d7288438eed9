"""A batch of several processes: who has which of its images, and statistics over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from types import MethodType
from typing import Any

import torch
from lightning.pytorch.plugins.layer_sync import LayerSync
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import Sampler

from qiskit_hqnn.training.processes import Processes


class Shares(Sampler[list[int]]):
    """One process's part of every batch of one process: the same batches, in the same order.

    Nothing is repeated to make parts equal, as torch's DistributedSampler does: parts of one batch differ by one image
    at most. Where a last batch has fewer images than there are processes, some of them have an image of it that counts
    for nothing, since all must take every step.

    Args:
        sampler: the order of all images; Lightning sets its epoch.
        images: how many there are.
        batch_size: of all processes together.
        drop_last: whether a last batch that is smaller is left out.
        processes: this one among the others.
    """

    def __init__(
        self, sampler: Sampler[int], images: int, batch_size: int, drop_last: bool, processes: Processes
    ) -> None:
        self.sampler, self.images, self.batch_size, self.processes = sampler, images, batch_size, processes
        self.drop_last = drop_last

    def __len__(self) -> int:
        return self.images // self.batch_size if self.drop_last else -(-self.images // self.batch_size)

    def whole(self, index: int) -> int:
        """Images of a batch in all processes."""
        return min(self.batch_size, self.images - index * self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = list(self.sampler)
        for index in range(len(self)):
            start = index * self.batch_size
            batch = order[start : start + self.batch_size]
            yield batch[self.processes.rank :: self.processes.count] or batch[:1]


class _Sum(torch.autograd.Function):
    """The sum over all processes; what each of them makes of it flows back to every summand."""

    @staticmethod
    def forward(ctx: object, values: Tensor) -> Tensor:
        return _summed(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return _summed(gradients[0])


def _summed(values: Tensor) -> Tensor:
    total = values.clone(memory_format=torch.contiguous_format)
    torch.distributed.all_reduce(total)
    return total


class SharedStatistics(LayerSync):
    """Batch norm over the batch of all processes, on any device: torch's SyncBatchNorm has none for CPUs.

    Statistics of a part alone would make other losses than one process has, and say nothing.
    """

    def apply(self, model: nn.Module) -> nn.Module:
        for module in model.modules():
            if isinstance(module, _BatchNorm) and not isinstance(module, nn.SyncBatchNorm):
                setattr(module, "forward", MethodType(_normalised, module))  # noqa: B010  # of this one module
        return model

    def revert(self, model: nn.Module) -> nn.Module:
        for module in model.modules():
            if isinstance(module, _BatchNorm):
                vars(module).pop("forward", None)
        return model


def _normalised(module: _BatchNorm, batch: Tensor) -> Tensor:
    """What `module` would make of all processes' batches (N, channels, …), for this one's."""
    if not module.training:
        return type(module).forward(module, batch)
    module._check_input_dim(batch)
    axes = [axis for axis in range(batch.dim()) if axis != 1]
    shape = [-1 if axis == 1 else 1 for axis in range(batch.dim())]
    ones = batch.new_full((1,), batch.numel() / batch.shape[1])
    sums = _Sum.apply(torch.cat([batch.sum(axes), ones]))
    count, mean = sums[-1].detach(), sums[:-1] / sums[-1].detach()
    centred = batch - mean.view(shape)
    variance = _Sum.apply(centred.square().sum(axes)) / count
    if module.track_running_stats and module.running_mean is not None and module.running_var is not None:
        with torch.no_grad():
            assert module.num_batches_tracked is not None
            module.num_batches_tracked.add_(1)
            rate = module.momentum if module.momentum is not None else 1 / float(module.num_batches_tracked)
            module.running_mean.lerp_(mean.to(module.running_mean), rate)
            unbiased = variance * (count / (count - 1))
            module.running_var.lerp_(unbiased.to(module.running_var), rate)
    normal = centred * (variance + module.eps).rsqrt().view(shape)
    if module.weight is None:
        return normal
    return normal * module.weight.view(shape) + module.bias.view(shape)
