"""Proposals that design themselves: each function returns a `Design`, a law and what is known about it.

`rao_blackwell`, `largest_integrated` and `hazard_twist` ask another question with the same answer: they return a
`Restated`, the nominal law and the integrand of that question with the design for it.
"""
from rareevents.designs import Design as Design
from rareevents.designs import Restated as Restated
from rareevents.proposals.committor import committor as committor
from rareevents.proposals.conditioning import rao_blackwell as rao_blackwell
from rareevents.proposals.cross_entropy import StalledError as StalledError
from rareevents.proposals.cross_entropy import cross_entropy as cross_entropy
from rareevents.proposals.doob import doob as doob
from rareevents.proposals.doob import softened as softened
from rareevents.proposals.feedback import chernoff as chernoff
from rareevents.proposals.feedback import feedback as feedback
from rareevents.proposals.hazard import hazard_twist as hazard_twist
from rareevents.proposals.largest import largest_integrated as largest_integrated
from rareevents.proposals.learned import NothingFoundError as NothingFoundError
from rareevents.proposals.learned import explored as explored
from rareevents.proposals.mixtures import alore as alore
from rareevents.proposals.mixtures import mixture as mixture
from rareevents.proposals.mixtures import safe as safe
from rareevents.proposals.overshoot import overshoot as overshoot
from rareevents.proposals.overshoot import truncated as truncated
from rareevents.proposals.path_tilts import horizon_tilt as horizon_tilt
from rareevents.proposals.path_tilts import perron_tilt as perron_tilt
from rareevents.proposals.policies import policy as policy
from rareevents.proposals.tilting import tilt as tilt
from rareevents.proposals.walks import walk_tilt as walk_tilt
