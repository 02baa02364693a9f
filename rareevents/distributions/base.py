"""What a law is: fields, a support, one draw and the log density of one point. Everything else follows from them.

    @dataclass(frozen=True)
    class Zipf(Distribution):
        a: float
        support = integers(1, math.inf)
        def draw(self, rng): ...
        def log_density(self, x): ...

`draw` and `log_density` are plain Python. Compiled, `self` is a record of the fields (floats, ints, arrays) and of the
constants that an optional `derive(self) -> dict` adds; in Python it is the law itself, with the same names.
"""
from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rareevents.kernels import chunks, records
from rareevents.kernels.freeze import Frozen
from rareevents.kernels.fuse import fuse
from rareevents.kernels.stages import SAMPLE


class Support(NamedTuple):
    """An interval of integers or reals; `low` and `high` may be infinite."""

    kind: str                     # "integers" or "reals"
    low: float
    high: float

    def contains(self, other: Support) -> bool:
        """Whether every point of `other` lies in this support."""
        return self.low <= other.low and other.high <= self.high and (self.kind == other.kind or self.kind == "reals")

    def __str__(self) -> str:
        return f"{self.kind}({self.low:g}, {self.high:g})"


def integers(low: float, high: float) -> Support:
    """The integers from `low` to `high`, both included; either may be infinite."""
    if not low <= high or any(math.isfinite(end) and end != math.floor(end) for end in (low, high)):
        raise ValueError(f"low and high must be integers or infinite, low <= high, got low={low!r}, high={high!r}")
    return Support("integers", float(low), float(high))


def reals(low: float, high: float) -> Support:
    """The real numbers from `low` to `high`; either may be infinite."""
    if not low <= high:
        raise ValueError(f"low must be at most high, got low={low!r}, high={high!r}")
    return Support("reals", float(low), float(high))


class Distribution:
    """The contract of a law. A subclass is a frozen dataclass with `support`, `draw` and `log_density`.

    Where they exist it also has `mean` and `variance` (a float, or an array of length `size`), `log_mgf` and `tilt`.

    A vector law sets `size` to its number of components and fills a row: `draw(self, rng, x)`; its support is that of
    each component, or a tuple of them. A law made of other laws overrides `functions`.
    """

    support: Support | tuple[Support, ...]
    size: int | None = None       # None: a draw is one number; n: a draw is a row of n numbers
    log_concave: bool = False     # whether log p is known to be concave on the support: some proofs rest on it

    def draw(self, rng: Any, *row: np.ndarray) -> Any:
        """One draw; `rng` has the methods of `numpy.random.Generator`. A vector law fills the given row."""
        if type(self).functions is Distribution.functions:
            raise TypeError(f"{type(self).__name__} must define draw(self, rng)")
        return self.functions()[0](self, rng, *row)

    def log_density(self, x: Any) -> float:
        """Log probability mass or density of one point x; -inf outside the support."""
        if type(self).functions is Distribution.functions:
            raise TypeError(f"{type(self).__name__} must define log_density(self, x)")
        return self.functions()[1](self, x)

    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The plain functions (draw, log_density) to compile; each takes the record of the fields first."""
        draw, log_density = type(self).draw, type(self).log_density
        for name, given in (("draw(self, rng)", draw), ("log_density(self, x)", log_density)):
            if given is getattr(Distribution, name.partition("(")[0]):
                raise TypeError(f"{type(self).__name__} must define {name}")
        return draw, _guarded(log_density, self.size is not None) if self._is_own else log_density

    @property
    def _is_own(self) -> bool:
        """Whether the class is a user's: its `support` is then enforced on its log density."""
        return not type(self).__module__.startswith("rareevents.") and type(self).functions is Distribution.functions

    def derive(self) -> dict[str, Any]:
        """Constants computed once from the fields; they read like fields in `draw` and `log_density`."""
        return {}

    # ------------------------------------------------------------------------------------ what follows from these
    @cached_property
    def record(self) -> tuple[Any, ...]:
        """The fields and derived constants as compiled code sees them, and the support of a user's law."""
        if not dataclasses.is_dataclass(self) or not type(self).__dataclass_params__.frozen:   # type: ignore[attr-defined]
            raise TypeError(f"{type(self).__name__} must be a frozen dataclass: put @dataclass(frozen=True) above it")
        if getattr(type(self), "support", None) is None:
            raise TypeError(f"{type(self).__name__} must set support, as in support = rare.integers(0, math.inf)")
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)           # type: ignore[arg-type]
                  if f.metadata.get("compiled", True)}       # field(metadata={"compiled": False}): for people only
        kinds = {f.name: f.type for f in dataclasses.fields(self)}                          # type: ignore[arg-type]
        ready = {name: field_of(value, kinds[name]) for name, value in values.items()}
        inside: dict[str, Any] = {}
        if self._is_own:
            low, high = (np.array([getattr(s, end) for s in self.supports]) for end in ("low", "high"))
            inside = {"inside_low": low, "inside_high": high} if self.size is not None else \
                {"inside_low": float(low[0]), "inside_high": float(high[0])}
        return records.record(**ready, **self.derive(), **inside)

    def __getattr__(self, name: str) -> Any:
        """A derived constant, when `draw` or `log_density` runs in Python."""
        if not name.startswith("_") and name in derived(self):
            return derived(self)[name]
        if name in ("inside_low", "inside_high"):
            return getattr(self.record, name)
        if name == "support":
            raise TypeError(f"{type(self).__name__} must set support, as in support = rare.integers(0, math.inf)")
        if name in ("mean", "variance"):                     # not defined above: a field may have this name
            raise _missing(self, name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def supports(self) -> tuple[Support, ...]:
        """The support of each component; one of a law of numbers."""
        if isinstance(self.support, Support):
            return (self.support,) * (self.size or 1)
        return self.support

    @property
    def reach(self) -> list[Support]:
        """The intervals that a law of numbers draws from; `support` is their hull where a law is made of others."""
        return [self.supports[0]]

    @property
    def measure(self) -> Any:
        """What `log_density` is relative to, where it is not counting or length: only such laws can be compared."""
        return None

    @property
    def functions_key(self) -> Any:
        """What the law's functions are determined by, besides the record: laws with one key can be one stack."""
        if type(self).functions is Distribution.functions:
            return type(self)
        return tuple(Frozen(f, build=False).digest for f in self.functions())

    @property
    def dtype(self) -> type:
        """The kind of number in a draw: int (64 bits) or float."""
        return int if all(support.kind == "integers" for support in self.supports) else float

    def empty(self, n: int) -> np.ndarray:
        """An array for n draws."""
        shape = n if self.size is None else (n, self.size)
        return np.empty(shape, np.int64 if self.dtype is int else np.float64)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """n draws: shape (n,), or (n, size) for a vector law. The same seed gives the same draws.

        >>> Poisson(rate=4.0).sample(5, seed=1).shape                                       # doctest: +SKIP
        (5,)
        """
        require_count("n", n)
        require_seed(seed)
        return draws(self, int(n), seed, SAMPLE[0])

    def log_prob(self, x: Any) -> np.ndarray:
        """Log probability mass or density of every entry of x (of every row for a vector law), in nats."""
        if self.measure is not None:
            raise AttributeError(f"{type(self).__name__} has no log_prob: its density is known relative to that of "
                                 f"{self.measure} only")
        given = np.asarray(x)
        points = np.ascontiguousarray(given, np.int64 if self.dtype is int else np.float64)
        inside = np.ones(given.shape, bool)
        if self.dtype is int and given.dtype.kind == "f":
            inside = given == np.floor(given)                # a count law has no mass between the integers
        rows = points.reshape(-1) if self.size is None else points.reshape(-1, self.size)
        out = densities(self, rows)
        if self.size is None:
            return np.where(inside.reshape(-1), out, -math.inf).reshape(given.shape)[()]
        return np.where(inside.reshape(rows.shape).all(axis=1), out, -math.inf).reshape(given.shape[:-1])[()]

    def log_mass(self, low: float, high: float) -> float:
        """log P(low <= X <= high) of a scalar law, accurate in both tails: by `log_tails`, a sum or an integral.

        >>> Normal().log_mass(40.0, math.inf)                                               # doctest: +SKIP
        -804.608442...
        """
        if self.size is not None:
            raise _missing(self, "log_mass")
        first, last = self.support.low, self.support.high                                  # type: ignore[union-attr]
        low, high = max(low, first), min(high, last)
        if not low <= high:
            return -math.inf
        whole = self.dtype is int
        below = math.ceil(low) - 1 if whole and low > -math.inf else low
        above = math.floor(high) if whole and high < math.inf else high
        if whole and below >= above:
            return -math.inf
        start, end = (self.log_tails(x) if first <= x < last and (whole or x > first) else
                      (0.0, -math.inf) if x >= last else (-math.inf, 0.0) for x in (below, above))
        if start is not None and end is not None:
            small, large = (start[0], end[0]) if end[0] < -0.7 else (end[1], start[1])     # no cancellation
            if large > -math.inf and small < large - 0.01:             # no underflow, and not a sliver of the tail
                return large + log_complement(small - large)
        from rareevents.distributions.quadrature import grid
        return grid(self, low, high).log_sum()

    def log_tails(self, x: float) -> tuple[float, float] | None:
        """(log P(X <= x), log P(X > x)) in closed form, for x inside the support; None: there is no closed form."""
        return None

    def log_mgf(self, theta: Any) -> float:
        """log E[exp(theta x)], for a vector law log E[exp(theta . x)] with a number or a vector theta; inf if none."""
        raise _missing(self, "log_mgf")

    def tilt(self, theta: Any) -> Distribution:
        """The law with density proportional to exp(theta x) p(x); its weight p/q is exp(log_mgf(theta) - theta x)."""
        raise _missing(self, "tilt")


def draws(law: Distribution, n: int, seed: int, stage: int) -> np.ndarray:
    """n draws of a law from the stream of (seed, stage)."""
    x = law.empty(n)
    arguments = np.uint64(seed), np.uint32(stage), np.uint64(0), law.record, x
    fuse(chunks.draws, {"fill": chunks.filler(law.functions()[0], law.size is not None)}, arguments)(*arguments)
    return x


def densities(law: Distribution, x: np.ndarray) -> np.ndarray:
    """The log density of every entry, or row, of draws x, relative to the law's measure, if it has one."""
    x, out = np.ascontiguousarray(x), np.empty(len(x))
    fuse(chunks.log_densities, {"log_density": law.functions()[1]}, (law.record, x, out))(law.record, x, out)
    return out


def derived(owner: Any) -> dict[str, Any]:
    """What `owner.derive()` gives, computed once."""
    if "_derived" not in owner.__dict__:
        owner.__dict__["_derived"] = {}                      # a name that derive() itself asks for is missing
        owner.__dict__["_derived"] = owner.derive()
    return owner.__dict__["_derived"]


def _guarded(log_density: Callable[..., Any], rows: bool) -> Callable[..., Any]:
    """The log density, -inf outside the declared support, where the user's function need not be right."""
    def number(self, x):
        return log_density(self, x) if self.inside_low <= x <= self.inside_high else -math.inf

    def row(self, x):
        for i in range(len(x)):
            if not self.inside_low[i] <= x[i] <= self.inside_high[i]:
                return -math.inf
        return log_density(self, x)
    return row if rows else number


def field_of(value: Any, kind: Any) -> Any:
    """A field's value in a record: laws become records, numbers get the kind of their annotation."""
    if isinstance(value, Distribution):
        return value.record
    if kind in (float, "float") and isinstance(value, (int, np.integer, np.floating)):
        return float(value)
    if isinstance(value, (tuple, list)) and value and isinstance(value[0], Distribution):
        return parts(value)
    if isinstance(value, tuple):
        return np.array(value)
    return value


def parts(laws: Any) -> Any:
    """The records of several laws: an array when they are of one kind with numbers only, nested pairs otherwise."""
    made = [law.record for law in laws]
    return records.stack(made) if records.stackable(made) else records.nest(made)


def _missing(law: Distribution, what: str) -> Exception:
    return AttributeError(f"{type(law).__name__} has no {what}: it has no closed form, or its class does not define it")


def require(ok: Any, name: str, value: Any, rule: str) -> None:
    """Raise a ValueError that names the argument, its value and the rule, unless `ok`."""
    if not ok:
        raise ValueError(f"{name} must be {rule}, got {value!r}")


def require_number(name: str, value: Any, *, low: float = -math.inf, high: float = math.inf, open_low: bool = False,
                   open_high: bool = False) -> None:
    """Raise unless `value` is a finite number in the given interval."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    above = value > low if open_low else value >= low
    below = value < high if open_high else value <= high
    bounds = (f"a finite number {'>' if open_low else '>='} {low:g}" if high == math.inf else
              f"a number in {'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}")
    require(math.isfinite(value) and above and below, name, value, "a finite number" if low == -math.inf else bounds)


def require_count(name: str, value: Any) -> None:
    """Raise unless `value` is an integer of at least 0."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} must be an integer of at least 0, got {value!r}")


def require_seed(seed: Any) -> None:
    """Raise unless the seed is an integer in [0, 2^64)."""
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or not 0 <= seed < 2 ** 64:
        raise ValueError(f"seed must be an integer in [0, 2^64), got {seed!r}")


def log_complement(log_p: float) -> float:
    """log(1 - exp(log_p)) for log_p <= 0 without cancellation (Maechler 2012)."""
    if log_p >= 0.0:
        return -math.inf
    return math.log(-math.expm1(log_p)) if log_p > -0.6931471805599453 else math.log1p(-math.exp(log_p))


def exp_or_inf(x: float) -> float:
    """exp(x), infinite where it exceeds the largest double."""
    return math.exp(x) if x < 709.78 else math.inf
