"""Mixtures of proposals: one for each part of an event, the weights that cost least, and a learned one made safe."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rareevents import oracle
from rareevents.designs import Design, law_of
from rareevents.distributions import IID, Distribution, HalfSpace, Independent, Mixture, MultivariateNormal, Truncated
from rareevents.distributions.base import require_number
from rareevents.distributions.parts import laws_of, require_alike, require_law
from rareevents.draws import log_densities, values, weighted_draws
from rareevents.events import Event, identity
from rareevents.integrands import integrand
from rareevents.kernels.stages import COMPONENTS
from rareevents.proposals.overshoot import overshoot, truncated
from rareevents.proposals.region import design, pieces, possible_parts
from rareevents.proposals.tilting import tilt
from rareevents.reductions import score_direction, score_law

LEAST = 1e-3                  # share of any component that is needed: what it covers is never left out


def mixture(nominal: Distribution, event: Any, components: Sequence[Any] | None = None, *, samples: int = 10_000,
            seed: int = 0) -> Design:
    """A mixture of proposals with the weights that cost least.

    q = sum_j w_j q_j, with w minimising E_p[f^2 p / q], a convex problem: by sums or integrals for laws of one number,
    otherwise from draws of the equal mixture. The weight p/q is the balance heuristic.

    Parameters
    ----------
    nominal : Distribution
        p.
    event : event or function
        What is estimated.
    components : sequence of laws or designs, optional
        Default: the best of `overshoot` and `tilt` for each part of a union of named events.
    samples : int
        Draws spent on the weights where no sum or integral gives them.
    seed : int
        Of these draws.

    Raises
    ------
    ValueError
        If a part of the event has no proposal, or no draw of the components is in the event.

    Source: He and Owen, Optimal mixture weights in multiple importance sampling (2014), section 3; Veach and Guibas
    (1995) for the balance heuristic.

    >>> from rareevents import Binomial, outside
    >>> mixture(Binomial(60, 0.3), outside(5, 35)).relative_variance < 3.2
    True
    """
    each = list(components) if components is not None else _one_each(nominal, event)
    laws = [law_of(c) for c in each]
    for i, law in enumerate(laws_of("components", laws)):
        require_alike(f"components[{i}]", law, nominal)
    if len(laws) == 1:
        return each[0] if isinstance(each[0], Design) else design(nominal, event, laws[0], "the only component")
    log_terms, log_laws, spent = _points(nominal, event, laws, samples, seed)
    shares = least_second_moment(log_terms, log_laws)
    law = Mixture(laws, shares.tolist())
    text = ", ".join(f"{share:.3g}" for share in shares)
    return design(nominal, event, law, f"mixture of {len(laws)} with weights {text}", learning=spent)


def least_second_moment(log_terms: np.ndarray, log_laws: np.ndarray) -> np.ndarray:
    """The w with the least sum_i exp(log_terms_i) / sum_j w_j exp(log_laws_ji): convex, on the simplex.

    log_terms: (n,), log_laws: (components, n).
    """
    from scipy.optimize import minimize
    kept = log_terms > -math.inf
    top = np.max(log_laws[:, kept], axis=0)
    terms = log_terms[kept] - top
    terms = np.exp(terms - np.max(terms))
    laws = np.exp(log_laws[:, kept] - top)
    count = len(laws)

    def moment(w: np.ndarray) -> tuple[float, np.ndarray]:
        q = np.maximum(w @ laws, 1e-300)
        return float(np.sum(terms / q)), -(laws @ (terms / (q * q)))
    w = np.full(count, 1.0 / count)
    scale = moment(w)[0]
    found = minimize(lambda w: tuple(v / scale for v in moment(w)), w, jac=True, method="SLSQP",
                     bounds=[(LEAST / count, 1.0)] * count, options={"maxiter": 500, "ftol": 1e-12},
                     constraints={"type": "eq", "fun": lambda w: np.sum(w) - 1.0, "jac": lambda w: np.ones(count)})
    w = np.clip(found.x, LEAST / count, 1.0)
    return w / w.sum()


def alore(nominal: Distribution, event: Any) -> Design:
    """At least one rare event: the mixture of the laws given each part, with weights proportional to their P(A_j).

    The weight is Pbar / S(x), with Pbar the sum of the P(A_j) and S(x) the number of parts that x is in. It is at most
    Pbar, and the relative variance of a draw at most (J + 1/J - 2) / 4 for J parts.

    Parameters
    ----------
    nominal : Distribution
        p: of normal vectors for half-spaces, of independent components or of one number for intervals of these.
    event : event
        A union, such as (linear(a) >= 3) | (linear(b) >= 4).

    Raises
    ------
    ValueError
        If the law given a part cannot be drawn from; `mixture` has no such need.

    Source: Owen, Maximov and Chertkov, Importance sampling the union of rare events with an application to power
    systems analysis (2019), theorem 1.

    >>> from rareevents import IID, Normal, component
    >>> alore(IID(Normal(0.0, 1.0), 2), (component(0) >= 4.0) | (component(1) >= 4.2)).bound < 5e-5
    True
    """
    require_law("nominal", nominal)
    found = [conditioned(nominal, part) for part in possible_parts(nominal, event)]
    logs = np.array([log_p for _, log_p in found])
    total = np.logaddexp.reduce(logs)
    law = Mixture([law for law, _ in found], np.exp(logs - total).tolist())
    count = len(found)
    return design(nominal, event, law, f"the law given each of {count} parts, weighted by their probabilities",
                  variance_bound=(count + 1.0 / count - 2.0) / 4.0)


def conditioned(nominal: Distribution, part: Any) -> tuple[Distribution, float]:
    """The nominal law given one event, and the log of its probability."""
    if nominal.size is None:
        law: Any = truncated(nominal, part).law
        if law.law is not nominal:
            raise ValueError(f"event must have parts that can be drawn from, but {part!r} is too rare to reject into "
                             f"under {nominal!r}: use proposals.mixture")
        return law, law.log_inside
    one = isinstance(part, Event) and not (math.isfinite(part.at_least) and math.isfinite(part.at_most))
    a = score_direction(part, nominal.size) if one else None
    if a is not None and np.any(a):
        sign, level = (1.0, part.at_least) if math.isfinite(part.at_least) else (-1.0, -part.at_most)
        law = score_law(nominal, a)
        if isinstance(nominal, MultivariateNormal) or type(law).__name__ == "Normal":
            half = HalfSpace(nominal, sign * a + 0.0, level)
            return half, half.log_inside
        if np.count_nonzero(a) == 1 and isinstance(nominal, (IID, Independent)):
            laws = list(nominal.laws) if isinstance(nominal, Independent) else [nominal.law] * nominal.n
            i = int(np.flatnonzero(a)[0])
            ends = sorted((float(sign * level / a[i]), sign * math.copysign(math.inf, a[i])))
            laws[i] = cut = Truncated(laws[i], *ends)
            return Independent(laws), cut.log_inside
    raise ValueError(f"event must be a union of half-spaces of a normal vector, or of intervals of numbers or "
                     f"independent components, got {part!r} under {nominal!r}: use proposals.mixture")


def safe(learned: Any, tilted: Any, alpha: float = 0.1) -> Design:
    """A learned proposal made safe by a share of a proven one: q = alpha q_tilt + (1 - alpha) q_learned.

    p/q <= B / alpha with B the tilt's bound, and V <= (V_tilt + 1) / alpha - 1, whatever was learned.

    Parameters
    ----------
    learned, tilted : Design or Distribution
        A design from `tilt`, `overshoot` or `mixture` brings its bound and its relative variance.
    alpha : float
        The share of the proven proposal, in (0, 1).

    Raises
    ------
    ValueError
        If alpha is not in (0, 1).

    Source: Hesterberg, Weighted average importance sampling and defensive mixture distributions (1995), with a tilt in
    the place of the nominal law.

    >>> from rareevents import Poisson, at_least
    >>> made = safe(Poisson(30.0), tilt(Poisson(4.0), at_least(20)), alpha=0.5)
    >>> round(made.variance_bound, 2)
    14.41
    """
    require_number("alpha", alpha, low=0.0, high=1.0, open_low=True, open_high=True)
    for name, given in (("learned", learned), ("tilted", tilted)):
        require_law(name, law_of(given))
    law = Mixture([law_of(tilted), law_of(learned)], [alpha, 1.0 - alpha])
    known = tilted if isinstance(tilted, Design) else Design(tilted, "")
    from_tilt = known.relative_variance if known.relative_variance is not None else known.variance_bound
    spent = learned if isinstance(learned, Design) else Design(learned, "a learned proposal")
    return Design(law, f"{spent.how}, with a share of {alpha:g} of a proven proposal",
                  None if known.bound is None else known.bound / alpha,
                  variance_bound=None if from_tilt is None else (from_tilt + 1.0) / alpha - 1.0,
                  exploration=spent.exploration, learning=spent.learning, levels=spent.levels)


# ------------------------------------------------------------------------------------------------ the pieces
def _one_each(nominal: Distribution, event: Any) -> list[Design]:
    """The best proposal for each part of the event."""
    require_law("nominal", nominal)
    found = pieces(nominal, event)
    each = possible_parts(nominal, event) if found is None else [Event(identity, *_ends(s)) for s in found]
    return [best(nominal, part) for part in each]


def best(nominal: Distribution, part: Any) -> Design:
    """Of `overshoot` and `tilt`, the one with the least relative variance."""
    made, refused = [], None
    for build in (overshoot, tilt) if nominal.size is None else (tilt,):
        try:
            made.append(build(nominal, part))
        except ValueError as error:
            refused = error
        except AttributeError as error:                    # a sum whose law has no closed form
            refused = ValueError(f"nominal must have a known law for {part!r}, got {nominal!r}: {error}")
    if not made:
        raise refused                                                                        # type: ignore[misc]
    return min(made, key=lambda d: math.inf if d.relative_variance is None else d.relative_variance)


def _ends(s: Any) -> tuple[float | None, float | None]:
    return (s.low if math.isfinite(s.low) else None, s.high if math.isfinite(s.high) else None)


def _points(nominal: Distribution, event: Any, laws: list[Distribution], samples: int,
            seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """log (f p)^2 at points that stand for a sum over x, the logs of the laws there, and the draws spent."""
    f = integrand(event)
    if nominal.size is None:
        mass = oracle.ideal(nominal, f, power=2)
        with np.errstate(over="ignore"):                       # far out both are as small as a double can be
            x, log_terms, spent = mass.x, mass.log_mass + nominal.log_prob(mass.x), 0
        x = x.astype(np.int64) if nominal.dtype is int else x
    else:
        count = len(laws)
        equal = Mixture(laws, [1.0 / count] * count)
        x, log_w = weighted_draws(nominal, equal, samples, seed, COMPONENTS[0])
        y = np.abs(values(f, x))
        if not np.any(y):
            raise ValueError(f"components must reach the event, but none of {samples:,} draws is in {event!r}")
        with np.errstate(divide="ignore"):
            log_terms = 2.0 * (np.log(y) + log_w) + equal.log_prob(x)      # (f p)^2 / equal, to be divided by q
        spent = samples
    return log_terms, log_densities(laws, x), spent

