"""Options and fixtures that all tests share."""
import os

import pytest

os.environ.setdefault("MPLBACKEND", "agg")                        # tests never open a window


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run statistical tests with their full number of replicates")


@pytest.fixture
def replicates(request):
    """`replicates(full, reduced)`: how often to repeat; `reduced` unless pytest was given --slow."""
    return lambda full, reduced: full if request.config.getoption("--slow") else reduced
