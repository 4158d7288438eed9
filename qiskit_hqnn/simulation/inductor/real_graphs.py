"""A traced graph of complex tensors rewritten to real ones, which torch's compiler makes fast code of.

The compiler generates no code for complex tensors. So each complex tensor becomes a pair of real ones, and each
operator on it a few operators on those. What depends on constants only is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor
from torch._guards import TracingContext, tracing
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx import GraphModule, Interpreter
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing, make_fx
from torch.fx.node import Argument, Target

aten = torch.ops.aten
_UNROLLED = 1 << 13
"""Products with at most this many multiplications become loops, which merge with others; larger ones go to BLAS."""
_REAL = {torch.complex64: torch.float32, torch.complex128: torch.float64}


@dataclass(eq=False)
class Pair:
    """Real and imaginary part of a complex tensor; `stacks` caches what was computed from a constant one."""

    re: Tensor
    im: Tensor
    stacks: dict[str, Tensor] | None = None
    pairs: dict[str, Pair] = field(default_factory=dict)


Value: TypeAlias = Pair | Tensor
Operator: TypeAlias = Callable[..., Tensor]


def traced(function: Callable[..., object], *examples: Tensor) -> GraphModule:
    """The graph of torch operators that a function of tensors runs, without unused results."""
    graph = _trace(function, examples)
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph


def _trace(function: Callable[..., object], examples: Sequence[Tensor]) -> GraphModule:
    """Without this context torch would make a mode, with a stack trace, for the description of each node."""
    with tracing(TracingContext(FakeTensorMode(allow_fallback_kernels=True))):
        return make_fx(function)(*examples)


def split(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Complex tensors as two real ones each, real ones as they are."""
    return [part for tensor in tensors for part in _parts(tensor)]


def in_real_numbers(graph: GraphModule, examples: Sequence[Tensor]) -> GraphModule:
    """The same graph over `split` inputs and `split` outputs.

    Args:
        graph: from `traced`; it returns a list of tensors.
        examples: inputs of the graph.

    Raises:
        NotImplementedError: if the graph has an operator on complex tensors without a rule.
    """
    rewriting = _Rewriting(graph)
    are_complex = [example.is_complex() for example in examples]

    def run(*parts: Tensor) -> list[Tensor]:
        left = iter(parts)
        inputs = [Pair(next(left), next(left)) if pair else next(left) for pair in are_complex]
        outputs = rewriting.run(*inputs)
        return [part for output in outputs for part in _parts(output)]

    return _trace(run, split(examples))


def _parts(value: Value) -> tuple[Tensor, ...]:
    if isinstance(value, Pair):
        return value.re, value.im
    if value.is_complex():
        # Copies: views of a complex tensor would be computed in each call.
        return value.real.clone(), value.imag.clone()
    return (value,)


class _Rewriting(Interpreter):
    """Runs a graph on pairs in place of complex tensors."""

    def __init__(self, graph: GraphModule) -> None:
        super().__init__(graph)
        self._constants: dict[str, Pair] = {}
        for node in graph.graph.nodes:
            if node.op == "get_attr":
                value = self.fetch_attr(node.target)
                if value.is_complex():
                    self._constants[node.target] = Pair(value.real.clone(), value.imag.clone(), {})

    def get_attr(self, target: Target, args: tuple[Argument, ...], kwargs: Mapping[str, object]) -> object:
        if target in self._constants:
            return self._constants[target]
        return super().get_attr(target, args, dict(kwargs))

    def call_function(
        self, target: Target, args: tuple[Argument, ...], kwargs: Mapping[str, object]
    ) -> object:
        if target is aten.lift_fresh_copy.default:
            return args[0]
        assert not isinstance(target, str)  # this would be a method's name
        if kwargs.get("dtype") in _REAL:
            return _with_real_dtype(target, args, kwargs)
        if target in _FROM_REAL or any(isinstance(value, Pair) for value in _flat(args)):
            if not isinstance(target, torch._ops.OpOverload):
                return target(*args, **kwargs)  # list[index]
            rule = _RULES.get(target)
            if rule is None:
                raise NotImplementedError(f"no rule for complex {target}")
            return rule(*args, **kwargs)
        if target in _SMALL_PRODUCTS:
            return _SMALL_PRODUCTS[target](*args)
        return target(*args, **kwargs)


def _flat(args: Sequence[object]) -> list[object]:
    return [value for arg in args for value in (arg if isinstance(arg, list | tuple) else [arg])]


def _with_real_dtype(target: Operator, args: Sequence[object], kwargs: Mapping[str, object]) -> Pair:
    given = kwargs["dtype"]
    assert isinstance(given, torch.dtype)
    real = target(*args, **{**kwargs, "dtype": _REAL[given]})
    return Pair(real, torch.zeros_like(real))


# The rules. Products recognise constants by their `stacks`, and compute what they need of these once.


def _each(operator: Operator) -> Callable[..., Pair]:
    def rule(x: Pair, *args: object, **kwargs: object) -> Pair:
        if x.stacks is None:
            return Pair(operator(x.re, *args, **kwargs), operator(x.im, *args, **kwargs))
        key = f"{operator} {args} {kwargs}"
        if key not in x.pairs:
            with disable_proxy_modes_tracing():
                x.pairs[key] = Pair(operator(x.re, *args, **kwargs), operator(x.im, *args, **kwargs), {})
        return x.pairs[key]

    return rule


def _each_of_several(operator: Callable[..., Sequence[Tensor]]) -> Callable[..., list[Pair]]:
    def rule(x: Pair, *args: object, **kwargs: object) -> list[Pair]:
        return [
            Pair(*parts) for parts in zip(*(operator(p, *args, **kwargs) for p in (x.re, x.im)), strict=True)
        ]

    return rule


def _joined(operator: Operator) -> Callable[..., Pair]:
    return lambda pairs, *args: Pair(
        operator([pair.re for pair in pairs], *args), operator([pair.im for pair in pairs], *args)
    )


def _multiply(x: Value, y: Value) -> Pair:
    if not isinstance(x, Pair):
        assert isinstance(y, Pair)  # one of both is
        x, y = y, x
    if isinstance(y, Pair):
        return Pair(x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re)
    return Pair(x.re * y, x.im * y)


def _multiply_in_place(x: Pair, y: Value) -> Pair:
    # Earlier views of x are separate pairs and would not change along: the passes have none.
    product = _multiply(x, y)
    x.re, x.im = product.re, product.im
    return x


def _add(x: Pair, y: Pair) -> Pair:
    return Pair(x.re + y.re, x.im + y.im)


def _put(x: Pair, indices: Sequence[Tensor | None], values: Pair, *rest: bool) -> Pair:
    aten.index_put_(x.re, indices, values.re, *rest)
    aten.index_put_(x.im, indices, values.im, *rest)
    return x


def _batched_product(x: Pair, y: Pair) -> Pair:
    """One real product of twice the size: [[a, −b], [b, a]] on [c; d], the block matrix for the smaller factor."""
    rows, inner = x.re.shape[1:]
    columns = y.re.shape[2]
    if len(x.re) * rows * inner * columns <= _UNROLLED:
        return Pair(_product(x.re, y.re) - _product(x.im, y.im), _product(x.re, y.im) + _product(x.im, y.re))
    if rows <= columns:
        whole = torch.bmm(
            _stack(
                x, "left", lambda: torch.cat([torch.cat([x.re, -x.im], 2), torch.cat([x.im, x.re], 2)], 1)
            ),
            _stack(y, "rows", lambda: torch.cat([y.re, y.im], 1)),
        )
        return Pair(whole[:, :rows], whole[:, rows:])
    whole = torch.bmm(
        _stack(x, "columns", lambda: torch.cat([x.re, x.im], 2)),
        _stack(y, "right", lambda: torch.cat([torch.cat([y.re, y.im], 2), torch.cat([-y.im, y.re], 2)], 1)),
    )
    return Pair(whole[:, :, :columns], whole[:, :, columns:])


def _product(x: Tensor, y: Tensor) -> Tensor:
    if x.numel() * y.shape[2] > _UNROLLED:
        return torch.bmm(x, y)
    return (x[:, :, :, None] * y[:, None]).sum(2)


def _stack(x: Pair, name: str, make: Callable[[], Tensor]) -> Tensor:
    if x.stacks is None:
        return make()
    if name not in x.stacks:
        with disable_proxy_modes_tracing():
            x.stacks[name] = make()
    return x.stacks[name]


def _real_product(x: Tensor, y: Tensor) -> Tensor:
    return torch.mm(x, y) if x.numel() * y.shape[1] > _UNROLLED else _product(x[None], y[None])[0]


_SMALL_PRODUCTS: dict[Target, Operator] = {
    aten.bmm.default: _product,
    aten.mm.default: _real_product,
    aten.addmm.default: lambda start, x, y: start + _real_product(x, y),
}
_FROM_REAL = {aten.complex.default, aten.view_as_complex.default}
_RULES: dict[Target, Callable[..., Value | list[Pair]]] = {
    **{
        operator: _each(operator)
        for operator in (
            aten.view.default,
            aten._unsafe_view.default,
            aten.transpose.int,
            aten.clone.default,
            aten.expand.default,
            aten.slice.Tensor,
            aten.select.int,
            aten.unsqueeze.default,
            aten.permute.default,
            aten.index_select.default,
            aten.neg.default,
            aten.alias.default,
            aten.detach.default,
            aten.zeros_like.default,
            aten.sum.dim_IntList,
        )
    },
    aten.unbind.int: _each_of_several(aten.unbind.int),
    aten.cat.default: _joined(torch.cat),
    aten.stack.default: _joined(torch.stack),
    aten.mul.Tensor: _multiply,
    aten.mul_.Tensor: _multiply_in_place,
    aten.add.Tensor: _add,
    aten.index_put_.default: _put,
    aten._conj_physical.default: lambda x: Pair(x.re, -x.im),
    aten.view_as_real.default: lambda x: torch.stack([x.re, x.im], -1),
    aten.view_as_complex.default: lambda x: Pair(x[..., 0], x[..., 1]),
    aten.complex.default: Pair,
    aten.bmm.default: _batched_product,
}
