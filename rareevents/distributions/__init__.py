"""Laws: one family per file, the same blocks in the same order in each."""
from rareevents.distributions.base import Distribution, Support, integers, reals
from rareevents.distributions.bernoulli import Bernoulli
from rareevents.distributions.binomial import Binomial
from rareevents.distributions.categorical import Categorical
from rareevents.distributions.exponential import Exponential
from rareevents.distributions.gamma import Gamma
from rareevents.distributions.geometric import Geometric
from rareevents.distributions.half_space import HalfSpace
from rareevents.distributions.iid import IID
from rareevents.distributions.independent import Independent
from rareevents.distributions.lognormal import LogNormal
from rareevents.distributions.lomax import Lomax
from rareevents.distributions.mixture import Mixture
from rareevents.distributions.multivariate_normal import MultivariateNormal
from rareevents.distributions.negative_binomial import NegativeBinomial
from rareevents.distributions.normal import Normal
from rareevents.distributions.poisson import Poisson
from rareevents.distributions.reflected import Reflected
from rareevents.distributions.shifted import Shifted
from rareevents.distributions.student_t import StudentT
from rareevents.distributions.truncated import Truncated
from rareevents.distributions.uniform import Uniform
from rareevents.distributions.weibull import Weibull
from rareevents.distributions.zero_inflated import ZeroInflated
