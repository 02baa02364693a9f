"""Laws of what happens step by step: sums of a random number of terms."""
from rareevents.processes.compound_sum import CompoundSum as CompoundSum
