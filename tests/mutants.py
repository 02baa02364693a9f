"""Small faults of the numerical core, one at a time: what is replaced in which file, what that breaks, and who notices.

A mutant's old text occurs exactly once. `killer` is a test that must fail; None where no test can, with the reason in
`why`. `docs/testing.md` says how the table was made and measured.
"""
from typing import NamedTuple

import mutants_core
import mutants_kernels


class Mutant(NamedTuple):
    """One fault."""

    file: str                     # in the package
    old: str
    new: str
    breaks: str                   # its name, too
    killer: str | None            # file::test
    why: str = ""                 # of a survivor


MUTANTS = [Mutant(*row) for row in (*mutants_core.ROWS, *mutants_kernels.ROWS)]
