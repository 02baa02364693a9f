"""-log probability and what is made of it: entropy, cross entropy, divergence, of probability vectors and of laws.

p and q are probability vectors on the last axis (leading axes are broadcast), or two laws. Results are in bits;
`base=math.e` gives nats. 0 log 0 = 0, and a missing support is infinite, never NaN. For a law of reals -log of the
density depends on the unit of x, and so do entropy and cross entropy; a divergence does not.
"""
from rareevents.information.chains import entropy_rate
from rareevents.information.cost import Cost, cost_of_proposal
from rareevents.information.entropies import (
    cross_entropy,
    entropy,
    jensen_shannon_divergence,
    kl_divergence,
    negative_log_likelihood,
    perplexity,
    self_information,
)
from rareevents.information.orders import renyi_divergence, renyi_entropy, tsallis_entropy
from rareevents.information.tables import conditional_entropy, joint_entropy, mutual_information
