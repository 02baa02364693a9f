"""Stages: the second number of a stream's address (seed, stage, chunk).

Whatever draws has a range of stages of its own and none overlap (`tests/test_edges.py`), so no two parts of a run
share a stream; an index beyond a range is an error. A search counts on from its first stage, one for each law that it
draws from. `python_stream` takes the same numbers, for another generator.
"""
from __future__ import annotations


def _stages(first: int, size: int) -> range:
    return range(first, first + size)


REGION, PART = 1 << 20, 1 << 12

MAIN = _stages(0, REGION)                                 # the estimates of a comparison, in their order
WEIGHTED = _stages(REGION, 1024)                          # weighted_samples, and methods that call no other
REPLICATES = _stages(REGION + 1024, REGION - 1024)        # replicates, each with a stage for every component
SUPPORT = _stages(2 * REGION, 1024)                       # where the nominal law lies outside the proposal's support
PREMISES = _stages(2 * REGION + 1024, 1)                  # a first look at a user's law
PILOTS = _stages(3 * REGION - 1024, 1024)                 # how good a designed proposal is, before it is used
SEARCH = _stages(3 * REGION, PART)                        # exploration: the search itself,
CLIMB = _stages(3 * REGION + PART, PART)                  # the climb along a margin,
CHAINS = _stages(3 * REGION + 2 * PART, 1)                # the chains that spread over what was found,
STARTS = _stages(3 * REGION + 2 * PART + 1, 1)            # where they start,
FITTED = _stages(3 * REGION + 3 * PART, PART)             # and the rounds of the mixture that is fitted to it
AUDIT_OWN = _stages(4 * REGION, 1)                        # an audit: draws of the proposal,
AUDIT_MIRROR = _stages(4 * REGION + PART, PART)           # of its hits, mirrored,
AUDIT_GIVEN = _stages(4 * REGION + 2 * PART, PART)        # of laws that the user adds,
AUDIT_SEARCH = _stages(4 * REGION + 3 * PART, PART)       # of a search,
AUDIT_CHAINS = _stages(4 * REGION + 4 * PART, PART)       # of chains from what was found,
AUDIT_WEIGHED = _stages(4 * REGION + 5 * PART, 1)         # and of a law that weighs it
SAMPLE = _stages(5 * REGION, 1)                           # Distribution.sample
SPLITTING = _stages(6 * REGION, 64)                       # splitting, and from 1 on that of an audit
LEVELS = _stages(7 * REGION, PART)                        # the rounds of cross entropy
QUANTILE = _stages(7 * REGION + PART, PART)               # the answer of a quantile, and the rounds before it
COMPONENTS = _stages(7 * REGION + 2 * PART, 1)            # draws that set the weights of a mixture
LARGEST = _stages(7 * REGION + 3 * PART, 1)               # what decides how many terms of a sum to draw
POLICY = _stages(8 * REGION, REGION)                      # the turns of a logistic policy
REINFORCE = _stages(9 * REGION, REGION)                   # the batches of REINFORCE and PPO
ENTROPY = _stages(10 * REGION, REGION)                    # the batches of cross entropy without a safeguard
COMMITTOR = _stages(11 * REGION, 1)                       # the splitting run from which a committor is learned
BLOCKS = _stages(1 << 31, 1 << 30)                        # the blocks of GBAS
COMPONENT = 1 << 24                                       # from one component's search to the next: above the others
