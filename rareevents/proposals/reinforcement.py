"""Policies learned as in reinforcement learning: REINFORCE and PPO on the reverse divergence, and cross entropy alone.

The reverse divergence KL(q || q*) = E_q[log q - log f p] + log mu is the cost of a game in which every move pays
log p/q and the end pays log f: maximising the reward is minimising the divergence. It asks that q stays where q* is,
not that it covers q*; so it can be small while the variance of p/q is huge. Each function here yields the table of its
policy after every batch, to be graded exactly. None of them is safe as a proposal: `policies.policy` is.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rareevents.kernels.stages import ENTROPY, REINFORCE
from rareevents.kernels.streams import python_stream
from rareevents.paths.graph import NO, Graph
from rareevents.paths.trace import Trace, traced
from rareevents.proposals.policies import Policy

MISSED = 3.0                  # what each unit of the score that lacks at the end costs: log f is softened by it
CLIP = 0.2                    # of the ratio of a new policy's move to the old one's
EPOCHS = 10                   # gradient steps on one batch
RATE = 0.05                   # of Adam
ELITE = 0.1                   # of a batch that the cross-entropy method learns from


class Learned(NamedTuple):
    """A policy after a batch."""

    paths: int                    # drawn so far
    table: np.ndarray             # its moves: [time, node, move]
    coefficients: np.ndarray


def ppo(policy: Policy, *, batch: int = 250, batches: int = 60, seed: int = 0, clip: float | None = CLIP,
        epochs: int = EPOCHS) -> Iterator[Learned]:
    """Proximal policy optimisation; with clip=None and one epoch REINFORCE with a critic.

    The critic is the least-squares fit of the reward to come by the policy's features.

    Parameters
    ----------
    policy : Policy
        The family of moves; learning starts from the nominal ones.
    batch, batches : int
        Paths that are drawn before each change of the policy, and how often.
    seed : int
        Of the paths that are drawn.
    clip : float, optional
        How far from 1 the ratio of a new move's probability to the old one's is still pushed; None: any way.
    epochs : int
        Gradient steps on each batch.

    Source: Schulman et al. (2017), arXiv:1707.06347, equation 7; Rose, Mair and Garrahan (2021), New Journal of Physics
    23, 013013, for the reverse divergence.

    >>> from rareevents import MarkovChain, visits
    >>> month = Policy(MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 10), visits(1) >= 6)
    >>> [learned.paths for learned in ppo(month, batch=50, batches=2)]
    [50, 100]
    """
    g = policy.graph
    c = np.zeros(policy.shape)
    first, second, turns = np.zeros_like(c), np.zeros_like(c), 0
    missing = _missing(policy)
    for b in range(batches):
        old = policy.table(c)
        rng = python_stream(seed, REINFORCE[b])
        trace = traced(g, old, batch, rng)
        path, time = np.nonzero(trace.moves >= 0)
        node, move = trace.nodes[path, time], trace.moves[path, time]
        advantage = _advantages(policy, trace, old, missing)[path, time]
        advantage /= max(float(np.std(advantage)), 1e-9)
        phi, before = policy.features[time, node], old[time, node, move]
        for _ in range(epochs):
            q = policy.table(c)[time, node]
            ratio = q[np.arange(len(move)), move] / before
            if clip is None:
                push = advantage
            else:
                held = np.where(advantage > 0.0, ratio > 1.0 + clip, ratio < 1.0 - clip)
                push = np.where(held, 0.0, ratio * advantage)
            step = -q * push[:, None]
            step[np.arange(len(move)), move] += push
            slope = np.einsum("if,ik->fk", phi, step) / batch
            turns += 1
            first = 0.9 * first + 0.1 * slope
            second = 0.999 * second + 0.001 * slope ** 2
            c = c + RATE * first / (1.0 - 0.9 ** turns) / (np.sqrt(second / (1.0 - 0.999 ** turns)) + 1e-8)
        yield Learned((b + 1) * batch, policy.table(c), c)


def reinforce(policy: Policy, *, batch: int = 250, batches: int = 60, seed: int = 0) -> Iterator[Learned]:
    """The policy gradient with a critic: one step on every batch.

    Parameters
    ----------
    policy, batch, batches, seed
        As in `ppo`.

    Source: Williams (1992), Machine Learning 8, 229.

    >>> from rareevents import MarkovChain, visits
    >>> month = Policy(MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 10), visits(1) >= 6)
    >>> [learned.paths for learned in reinforce(month, batch=50, batches=2)]
    [50, 100]
    """
    return ppo(policy, batch=batch, batches=batches, seed=seed, clip=None, epochs=1)


def cross_entropy_alone(policy: Policy, *, batch: int = 1000, batches: int = 15, seed: int = 0,
                        start: np.ndarray | None = None) -> Iterator[Learned]:
    """The multilevel cross-entropy method without a safeguard: each batch is drawn by the policy alone.

    The level is the elite quantile of what the paths still lack, at the event itself as soon as enough paths are there.

    Parameters
    ----------
    policy, batch, batches, seed
        As in `ppo`.
    start : array of float, shape (features, moves), optional
        The coefficients to start from; default 0, the nominal moves.

    Source: Rubinstein and Kroese, The Cross-Entropy Method (2004), section 3.2.

    >>> from rareevents import MarkovChain, visits
    >>> month = Policy(MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 10), visits(1) >= 6)
    >>> [learned.paths for learned in cross_entropy_alone(month, batch=100, batches=2)]     # doctest: +SKIP
    [100, 200]
    """
    g = policy.graph
    c = np.zeros(policy.shape) if start is None else start
    missing = _missing(policy)
    for b in range(batches):
        rng = python_stream(seed, ENTROPY[b])
        trace = traced(g, policy.table(c), batch, rng)
        lack = missing[trace.nodes[:, -1]]
        level = max(0.0, float(np.quantile(lack, ELITE)))
        log_w = trace.log_p - trace.log_q
        elite = lack <= level
        weights = np.where(elite, np.exp(log_w - np.max(log_w[elite])), 0.0)
        c = policy.fit(policy.counted(trace, weights), c)
        yield Learned((b + 1) * batch, policy.table(c), c)


def _missing(policy: Policy) -> np.ndarray:
    """How much of the score a path lacks that ends at a node: 0 where the event has happened."""
    g: Graph = policy.graph
    out = np.zeros(len(g.to))
    at, _, need = policy.nodes
    out[at] = np.maximum(need, 0.0)
    out[NO] = np.max(out)
    return out


def _advantages(policy: Policy, trace: Trace, table: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """The reward from each move on, less what the critic expects: [path, time]."""
    g = policy.graph
    reward = np.zeros(trace.moves.shape)
    going = trace.moves >= 0
    path, time = np.nonzero(going)
    node, move = trace.nodes[path, time], trace.moves[path, time]
    reward[path, time] = np.log(g.p[node, move]) - np.log(table[time, node, move])
    reward[:, -1] -= MISSED * missing[trace.nodes[:, -1]]
    to_come = np.cumsum(reward[:, ::-1], axis=1)[:, ::-1]
    phi = policy.features[time, node]
    gram = phi.T @ phi + 1e-3 * np.eye(phi.shape[1])
    critic = np.linalg.solve(gram, phi.T @ to_come[path, time])
    out = np.zeros(trace.moves.shape)
    out[path, time] = to_come[path, time] - phi @ critic
    return out
