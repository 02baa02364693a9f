"""Pictures of laws, weights, estimates and verdicts, one file each; `look.py` has what they share.

Every function takes `ax=None` and returns the axes it drew on. Naive Monte Carlo is vermillion with crosses, importance
sampling blue with dots, the ideal proposal green, the exact value a dashed black line: colour never stands alone.
"""
from rareevents.plots.bars import bars
from rareevents.plots.coverage import Covered, coverage
from rareevents.plots.distributions import distributions
from rareevents.plots.ess import ess
from rareevents.plots.frontier import frontier
from rareevents.plots.learning import learning
from rareevents.plots.levels import levels
from rareevents.plots.log_weights import log_weights
from rareevents.plots.look import (
    EXACT,
    IDEAL,
    LOOKS,
    NAIVE,
    OTHER,
    SAMPLED,
    figure,
    pixels,
    rendered,
    style,
    yerror_of,
)
from rareevents.plots.pareto_tail import pareto_tail
from rareevents.plots.rarity import rarity
from rareevents.plots.running import running
from rareevents.plots.tilt_curve import tilt_curve
from rareevents.plots.verdict import verdict
