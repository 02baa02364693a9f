"""From (nominal, f, proposal, seed, stage) to a function that turns a chunk id into moments.

Here the laws and the integrand meet the kernels, and what compiled code does not notice is noticed.
"""
from __future__ import annotations

import dataclasses
import math
from typing import Any, NoReturn

import numpy as np

from rareevents.blame import UserFunctionError, python, raised, shown, user_function
from rareevents.distributions import Distribution
from rareevents.fingerprints import digest, of_callable, of_compiled
from rareevents.integrands import BlackBox, Integrand
from rareevents.kernels import chunks, records, sums
from rareevents.kernels.freeze import Frozen, where
from rareevents.kernels.fuse import fuse
from rareevents.moments import Moments

BLOCK = 512                   # draws in a block: 128 to 4,096 measured the same
WINDOW = 1 << 15              # the widest tally of counts, in cells
BLACK_BOX_CHUNK = 1 << 10     # the largest chunk of a black box, whose calls cost far more than the chunk


class Sampler:
    """Chunks of weighted draws of `proposal` (None: of the nominal law itself) for one integrand."""

    nominal: Distribution
    f: Any
    proposal: Distribution | None
    seed: np.uint64
    stage: np.uint32

    def __init__(self, nominal: Distribution, f: Any, proposal: Distribution | None, seed: int, stage: int,
                 tally: bool = True) -> None:
        self._made_of = nominal, f, proposal, seed, stage, tally
        self.nominal, self.f, self.proposal = nominal, f, proposal
        self.law: Distribution = nominal if proposal is None else proposal
        self.seed, self.stage = np.uint64(seed), np.uint32(stage)
        self.vector: int | None = length(f, self.law)
        self.quantities: int = 1 if self.vector is None else self.vector
        self.black_box: bool = isinstance(f, BlackBox)
        self.boolean: bool = False                 # whether the compiled integrand returns bool; known after a chunk
        self._e = records.record() if self.black_box else f.record
        window = None if self.black_box or not tally else _window(self.law)
        self._low, self._cells = (0, 0) if window is None else window
        self._kernel = self._compile()

    def __reduce__(self) -> tuple[Any, ...]:
        return Sampler, self._made_of                         # a worker compiles it, or finds it on its disk

    def _compile(self) -> Any:
        draw, log_q = self.law.functions()
        log_p = self.nominal.functions()[1]
        if self.proposal is None:
            log_q = None
        f = None if self.black_box else self.f.function()
        roles = {"weigh": chunks.weigher(log_p, log_q, f, self.vector)}
        arguments = self._arguments(0, 0, self._scratch(BLOCK if not self.black_box else 1))
        if self.black_box:
            roles["fill"] = chunks.filler(draw, self.law.size is not None)
            return fuse(chunks.box_chunk, roles, arguments)
        roles["boolean"] = chunks.boolean_of(f)
        if self._cells:
            return fuse(chunks.count_chunk, {**roles, "draw": draw}, arguments)
        roles["fill"] = chunks.filler(draw, self.law.size is not None)
        return fuse(chunks.block_chunk, roles, arguments)

    def _scratch(self, n: int) -> dict[str, np.ndarray]:
        """The arrays that one chunk works in and returns."""
        k = self.quantities
        if self.black_box:
            return {"x": self.law.empty(n), "w": np.empty(n), "y": np.empty((k, n))}
        rows = BLOCK if self.law.size is None else max(8, BLOCK // max(1, self.law.size // 8) // 8 * 8)
        made = {"x": self.law.empty(rows), "w": np.empty(rows), "v": np.empty(rows), "y": np.empty((k, rows)),
                "counts": np.zeros((k, sums.COUNTS), np.int64), "terms": np.zeros((k, sums.TERMS)),
                "weights": np.zeros(sums.WEIGHTS), "largest": np.zeros((k, sums.KEPT)),
                "status": np.zeros(3, np.int64)}
        return made

    def _arguments(self, chunk: int, n: int, scratch: dict[str, np.ndarray]) -> tuple[Any, ...]:
        fixed = (self.seed, self.stage, np.uint64(chunk), n, self.nominal.record, self.law.record, self._e,
                 *scratch.values())
        if self._cells:
            return (*fixed, self._low, np.empty(self._cells, np.int64), np.empty(BLOCK, np.int64))
        return fixed

    def call(self) -> tuple[Any, tuple[Any, ...]]:
        """The kernel, and the arguments of an empty chunk: what another processor needs to do the same."""
        return self._kernel, self._arguments(0, 0, self._scratch(BLOCK))

    def contents(self) -> dict[str, str]:
        """Digests of all that a chunk depends on: code and values of the laws and the integrand."""
        return {"nominal": digest(self.nominal.record, *map(of_compiled, self.nominal.functions())),
                "proposal": "" if self.proposal is None else
                digest(self.proposal.record, *map(of_compiled, self.proposal.functions())),
                "f": of_callable(self.f.f) if self.black_box else digest(self._e, of_compiled(self.f.function())),
                "kernel": self._kernel.__name__}

    # -------------------------------------------------------------------------------------------------- a chunk
    def chunk(self, chunk: int, n: int, floor: np.ndarray | float = 0.0) -> Moments:
        """The moments of chunk `chunk`, n draws; of the largest terms only those above `floor` are kept."""
        if self.black_box:
            return self._black_box_chunk(chunk, n)
        scratch = self._scratch(n)
        scratch["largest"].T[:] = floor              # a heap of `floor`s: merging drops them again
        status = scratch["status"]
        try:
            mark = self._kernel(*self._arguments(chunk, n, scratch))
        except Exception as error:
            self._blame(scratch, chunk, error)
        if status[0] != sums.OK:
            self._blame(scratch, chunk, None)
        if chunk == 0:
            self.boolean = bool(status[2])
        if chunk & (chunk - 1) == 0:                 # 0, 1, 2, 4, ...: later chunks reach further out
            self._compare(scratch, chunk)
        return Moments(n, scratch["counts"], scratch["terms"], scratch["weights"], scratch["largest"], int(mark))

    def _black_box_chunk(self, chunk: int, n: int) -> Moments:
        scratch = self._scratch(n)
        mark = self._kernel(*self._arguments(chunk, n, scratch))
        x, w, y = scratch["x"], scratch["w"], scratch["y"]
        i = 0
        try:
            if self.f.vectorized:
                y[:] = np.asarray(self.f.f(x), float).reshape(n, -1).T
            else:
                for i in range(n):
                    y[:, i] = self.f.f(x[i])
        except Exception as error:
            at = "a block of draws" if self.f.vectorized else f"x = {shown(x[i])}"
            raise UserFunctionError(f"{self.f!r} raised {type(error).__name__}: {error} at {at} "
                                    f"in chunk {chunk}") from error
        bad = np.flatnonzero(~np.isfinite(y).all(axis=0))
        if len(bad):
            raise UserFunctionError(f"{self.f!r} returned {y[:, bad[0]]} at x = {shown(x[bad[0]])} in chunk {chunk}")
        result, status = Moments.of_block(w, y)
        if status != sums.OK:
            self._blame({"x": x, "w": w, "y": y, "status": np.array([status, n, 0])}, chunk, None)
        return dataclasses.replace(result, mark=int(mark))

    # ------------------------------------------------------------------------------------------- what went wrong
    def _blame(self, scratch: dict[str, np.ndarray], chunk: int, error: Exception | None) -> NoReturn:
        """Raise an error that names the guilty function and draw: the block is replayed in plain Python."""
        x, m = scratch["x"], int(scratch["status"][1])
        if scratch["status"][0] == sums.BAD_WEIGHT:
            self._blame_weight(x[:m], scratch["w"][:m], chunk)
        functions = [(self.f.function(), self._e, user_function(self.f))] if not self.black_box else []
        for law in {id(v): v for v in (self.nominal, self.law)}.values():
            functions.append((law.functions()[1], law.record, law.functions()[1]))
        for function, record, user in functions:
            for value in map(python, x[:m]):
                try:
                    with np.errstate(all="ignore"):
                        result = np.asarray(function(record, value), float)
                except Exception as cause:
                    raise UserFunctionError(f"{raised(user, cause)} at x = {shown(value)} in chunk {chunk}"
                                            ) from cause
                if user is not function and not np.all(np.isfinite(result)):
                    raise UserFunctionError(f"{where(user)} returned {result} at x = {shown(value)} in chunk {chunk}: "
                                            "an integrand must be finite")
        raise UserFunctionError(f"{self.f!r} failed in chunk {chunk} ({error or 'a term is not finite'}), and plain "
                                f"Python does not repeat it on the draws of its last block")

    def _blame_weight(self, x: np.ndarray, log_weights: np.ndarray, chunk: int) -> None:
        i = int(np.flatnonzero(~(log_weights <= 709.78))[0])
        densities = {}
        for role, law in (("nominal", self.nominal), ("proposal", self.law)):
            function = law.functions()[1]
            try:
                densities[role] = float(function(law.record, x[i]))
            except Exception as cause:
                raise UserFunctionError(f"{raised(function, cause)} at x = {shown(x[i])} in chunk {chunk}, in "
                                        f"{law!r}") from cause
        for role, law in (("proposal", self.law), ("nominal", self.nominal)):
            value = densities[role]
            if math.isnan(value) or value == math.inf or (role == "proposal" and value == -math.inf):
                function = law.functions()[1]
                raise UserFunctionError(f"log_density of the {role} {law!r} ({where(function)}) is {value} at its own "
                                        f"draw x = {shown(x[i])} in chunk {chunk}: it must be finite where "
                                        f"draw can go")
        raise UserFunctionError(f"the weight p/q overflows (log p/q = {log_weights[i]:.6g}) at x = {shown(x[i])} in "
                                f"chunk {chunk}: {self.law!r} is too far from {self.nominal!r}")

    def _compare(self, scratch: dict[str, np.ndarray], chunk: int) -> None:
        """Compare the user's Python functions with the compiled ones on the last block of a chunk.

        Numba checks no array bounds and turns 1/0 into infinity; plain Python does not let these pass.
        """
        user = user_function(self.f)
        laws = [law for law in {id(v): v for v in (self.nominal, self.law)}.values()
                if Frozen(law.functions()[1], build=False).users]            # of a user's, or with a part that is
        if user is None and not laws:
            return
        m = int(scratch["status"][1])
        function = self.f.function()
        for i in range(m):
            x, w, y = python(scratch["x"][i]), scratch["v"][i], scratch["y"][:, i]
            if user is not None:
                value = self._replay(function, self._e, user, x, chunk)
                if not np.allclose(np.asarray(value, float) * w, y, rtol=1e-7, atol=0.0, equal_nan=False):
                    raise UserFunctionError(f"{where(user)} gives {value} at x = {shown(x)} in plain Python, but "
                                            f"{y / w} compiled: look for an index out of range or a type that changes")
            for law in laws:
                log_density = law.functions()[1]
                self._replay(log_density, law.record, log_density, x, chunk)
            if laws and self.law is laws[-1] and not np.isfinite(self.law.functions()[1](self.law.record, x)):
                raise UserFunctionError(f"{self.law!r} drew x = {shown(x)} in chunk {chunk}, where its log density is "
                                        f"not finite: draw and support must agree")
            if laws and self.proposal is not None and w > 0.0:
                value = sum(s * float(law.functions()[1](law.record, x)) for s, law in
                            ((1.0, self.nominal), (-1.0, self.law)))
                if abs(value - math.log(w)) > 1e-7 * max(1.0, abs(value)):
                    raise UserFunctionError(f"log_density of {laws[0]!r} gives the log weight {value} at x = "
                                            f"{shown(x)} in plain Python, but {math.log(w)} compiled: look for an "
                                            f"index out of range or a type that changes")

    def _replay(self, function: Any, record: tuple[Any, ...], user: Any, x: Any, chunk: int) -> Any:
        try:
            with np.errstate(all="ignore"):
                return function(record, x)
        except Exception as cause:
            raise UserFunctionError(f"{raised(user, cause)} at x = {shown(x)} in chunk {chunk}, where the compiled "
                                    f"code went on without noticing") from cause


# ------------------------------------------------------------------------------------------------ the pieces
def length(f: Any, law: Distribution) -> int | None:
    """How many values f returns per draw, found by calling it once in plain Python; None for a plain number.

    A function of a path returns one number.
    """
    if not isinstance(f, (Integrand, BlackBox)) or not isinstance(law, Distribution):
        return None
    rng = np.random.Generator(np.random.Philox(0))
    row = law.empty(1)
    if law.size is None:
        drawn: Any = law.draw(rng)
        if drawn is None:
            raise UserFunctionError(f"{where(law.functions()[0])} must return a number on every path, got None")
        row[0] = drawn
    else:
        law.draw(rng, row[0])
    x = row if isinstance(f, BlackBox) and f.vectorized else python(row[0])
    try:
        value = f.f(x)
    except Exception as cause:
        raise UserFunctionError(f"{raised(f.f, cause)} at x = {shown(row[0])}, before sampling") from cause
    if value is None:
        raise UserFunctionError(f"{f!r} must return a number, a bool or several numbers, got None at x = "
                                f"{shown(row[0])}")
    try:
        kind = np.asarray(value).dtype.kind
    except ValueError:
        kind = "ragged"
    if kind not in "biuf":
        raise TypeError(f"{f!r} must return a number, a bool or several numbers, got {value!r} at x = {shown(row[0])}")
    shape = np.shape(value)
    if isinstance(f, BlackBox) and f.vectorized:
        if shape[:1] != (1,):
            raise ValueError(f"f of a vectorized black box must return one value per draw, got shape {shape} for one")
        shape = shape[1:]
    if len(shape) > 1 or shape == (0,):
        raise ValueError(f"f must return a number or a one-dimensional array, got shape {shape}")
    return shape[0] if shape else None


def _window(law: Distribution) -> tuple[int, int] | None:
    """(lowest integer, number of cells) of a tally that holds nearly every draw of a count law; None if none does."""
    if law.size is not None or law.dtype is not int:
        return None
    _, low, high = law.supports[0]
    try:
        mean, sd = float(law.mean), math.sqrt(law.variance)
    except (AttributeError, ValueError, TypeError):
        mean, sd = math.nan, math.nan
    if math.isfinite(mean) and math.isfinite(sd):
        low, high = max(low, math.floor(mean - 12.0 * sd - 40.0)), min(high, math.ceil(mean + 12.0 * sd + 40.0))
    elif math.isfinite(low):                       # no moments: most draws are near the lower end
        high = min(high, low + 1023)
    if not (math.isfinite(low) and math.isfinite(high)) or high - low >= WINDOW:
        return None
    return int(low), int(high - low) + 1
