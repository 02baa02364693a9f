"""The kernel template of RESTART: trees of paths that branch where they cross a level upwards.

A path that crosses level k goes on as trials[k - 1] paths: itself and its retrials. A retrial ends when it falls below
the level where it began; the path itself goes on, and branches again when it comes back. A path at level k counts
1/(trials[0] ... trials[k - 1]), so that the weighted number of paths is unbiased for any progress function: the copies
have one law, and where those below end, the one that stays gets their weight back.

Arguments as in `splitting`, and trials: of each level. out[0..5]: the log of the mean weight of the paths that
happened, how many did, branchings, steps made, paths started; out[0] is NaN where they were too many.
out[5] says whether one was undecided after `limit` steps, which ends the run.

A retrial runs before the path that it branched off from, so that what waits is at most one group for each level.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents.kernels.records import own
from rareevents.kernels.splitting import leveller
from rareevents.kernels.streams import Rng, address, new_rng

MOST = 1000                   # paths for each that starts: beyond it, the trials outgrow the falls


def climb(rng: Rng, p: tuple[Any, ...], e: tuple[Any, ...], levels: np.ndarray, trials: np.ndarray, n: int, limit: int,
          out: np.ndarray) -> None: ...    # a role


def restart_run(seed: np.uint64, stage: np.uint32, replicate: np.uint64, p: tuple[Any, ...], e: tuple[Any, ...],
                levels: np.ndarray, trials: np.ndarray, n: int, limit: int, out: np.ndarray) -> None:
    """One run, with the stream of its replicate."""
    rng = new_rng()
    address(rng, seed, stage, replicate)
    climb(rng, p._borrow(), e._borrow(), levels, trials, n, limit, out)


def climber(begin: Callable[..., Any], step: Callable[..., Any], asked: Any, height: Callable[..., Any],
            endless: bool) -> Callable[..., Any]:
    """The role `climb`."""
    start, update, decide = asked.start, asked.update, asked.decide
    level_of, left = leveller(decide, height, endless)

    def climb(rng, p, e, levels, trials, n, limit, out):
        top, zero = len(levels) + 1, np.int64(0)
        weight = np.ones(top)
        waits = 1
        for k in range(len(levels)):
            weight[k + 1] = weight[k] / trials[k]
            waits += trials[k]
        state = own(begin(p, rng))
        waiting = [(state, start(e, state), zero, state, zero, zero)] * waits
        total, happened, branchings, steps, started = 0.0, zero, zero, zero, zero
        for i in range(n):
            if i > 0:
                state = own(begin(p, rng))
            waiting[0] = (state, start(e, state), zero, state, zero, zero)
            left_over = 1
            started += 1
            while left_over > 0:
                left_over -= 1
                state, accumulated, time, first, born, at = waiting[left_over]
                while True:
                    now = level_of(e, accumulated, time, state, first, limit, levels)
                    if now == top:
                        total += weight[at]
                        happened += 1
                        break
                    if now < born:
                        break
                    if now > at:
                        at += 1
                        waiting[left_over] = (state, accumulated, time, first, born, at)
                        for r in range(1, trials[at - 1]):
                            waiting[left_over + r] = (state, accumulated, time, first, at, at)
                        left_over += trials[at - 1]
                        started += trials[at - 1] - 1
                        branchings += 1
                        break
                    at = now
                    if decide(e, accumulated, state, left(limit, time)) >= 0:
                        break
                    if time >= limit:
                        if endless:
                            out[5] = 1
                            return
                        break
                    state = step(p, state, rng)
                    time += 1
                    accumulated = update(e, accumulated, time, state)
                    steps += 1
                if started > MOST * n:
                    out[0] = math.nan
                    return
        out[0] = math.log(total / happened) if happened > 0 else 0.0
        out[1], out[2], out[3], out[4] = happened, branchings, steps, started
    return climb
