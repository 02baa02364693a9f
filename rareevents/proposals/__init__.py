"""Proposals that design themselves: each function returns a `Design`, a law and what is known about it."""
from rareevents.designs import Design as Design
from rareevents.proposals.conditioning import rao_blackwell as rao_blackwell
from rareevents.proposals.cross_entropy import StalledError as StalledError
from rareevents.proposals.cross_entropy import cross_entropy as cross_entropy
from rareevents.proposals.learned import NothingFoundError as NothingFoundError
from rareevents.proposals.learned import explored as explored
from rareevents.proposals.mixtures import alore as alore
from rareevents.proposals.mixtures import mixture as mixture
from rareevents.proposals.mixtures import safe as safe
from rareevents.proposals.overshoot import overshoot as overshoot
from rareevents.proposals.overshoot import truncated as truncated
from rareevents.proposals.tilting import tilt as tilt
