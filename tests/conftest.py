"""Options and fixtures that all tests share."""
import os

import pytest
from hypothesis import HealthCheck, Phase, settings

os.environ.setdefault("MPLBACKEND", "agg")                        # tests never open a window

# The same examples in every run, so that a statistical test has the false-alarm rate that it states; and no deadline,
# because the first example compiles. Against mutants it is enough that a test fails: nothing is shrunk.
settings.register_profile("rareevents", deadline=None, derandomize=True, database=None,
                          suppress_health_check=[HealthCheck.too_slow])         # a busy machine is no fault
settings.register_profile("mutants", settings.get_profile("rareevents"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("rareevents")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run statistical tests with their full number of replicates")
    parser.addoption("--entropy", type=int,
                     help="repeat the draws of a sequential test, from the seed that it showed")


def pytest_terminal_summary(terminalreporter):
    """The fresh seeds of the sequential tests, also of those that passed."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in report.user_properties:
                if name == "entropy":
                    terminalreporter.write_line(f"{report.nodeid} {outcome} with --entropy {value}")


@pytest.fixture
def replicates(request):
    """`replicates(full, reduced)`: how often to repeat; `reduced` unless pytest was given --slow."""
    return lambda full, reduced: full if request.config.getoption("--slow") else reduced
