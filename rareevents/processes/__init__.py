"""Laws of what happens step by step: paths of states, and sums of a random number of terms."""
from rareevents.processes.base import Process as Process
from rareevents.processes.compound_sum import CompoundSum as CompoundSum
from rareevents.processes.jump_chain import BirthDeath as BirthDeath
from rareevents.processes.jump_chain import JumpChain as JumpChain
from rareevents.processes.jump_chain import TandemQueue as TandemQueue
from rareevents.processes.markov_chain import MarkovChain as MarkovChain
from rareevents.processes.random_walk import RandomWalk as RandomWalk
from rareevents.processes.self_exciting import SelfExciting as SelfExciting
