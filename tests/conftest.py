"""Options and fixtures that all tests share."""
import os

import pytest
from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "agg")                        # tests never open a window

# The same examples in every run, so that a statistical test has the false-alarm rate that it states; and no deadline,
# because the first example compiles.
settings.register_profile("rareevents", deadline=None, derandomize=True, database=None)
settings.load_profile("rareevents")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run statistical tests with their full number of replicates")


@pytest.fixture
def replicates(request):
    """`replicates(full, reduced)`: how often to repeat; `reduced` unless pytest was given --slow."""
    return lambda full, reduced: full if request.config.getoption("--slow") else reduced
