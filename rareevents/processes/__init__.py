"""Laws of what happens step by step: paths of states, and sums of a random number of terms."""
from rareevents.processes.base import Process as Process
from rareevents.processes.compound_sum import CompoundSum as CompoundSum
from rareevents.processes.markov_chain import MarkovChain as MarkovChain
