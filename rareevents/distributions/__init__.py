from rareevents.distributions.base import Distribution, Support, integers, reals
from rareevents.distributions.normal import Normal
from rareevents.distributions.poisson import Poisson
