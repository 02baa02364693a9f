"""What people try at a prompt: quiet and machine-readable runs, exit codes, completion, the doctor."""
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXPERIMENT = '''
"""A month of storms."""
from dataclasses import dataclass
import rareevents as rare
from rareevents.experiments import Findings, main
from rareevents.report import Told

@dataclass(frozen=True)
class Settings:
    samples: int = 20_000
    """Draws."""

def run(settings, progress):
    found = rare.estimate(rare.Poisson(4.0), rare.at_least(20), rare.Poisson(20.0), samples=settings.samples)
    return Findings({"storms": found.to_dict()})

def tell(settings, numbers):
    return Told("Storms.", quantity="P", estimates={"storms": numbers["storms"]}, best="storms")

if __name__ == "__main__":
    main(Settings, run, tell)
'''


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("habits") / "experiments" / "month.py"
    path.parent.mkdir()
    path.write_text(EXPERIMENT)
    return path


def asked(*arguments, folder=ROOT, **environment):
    return subprocess.run([sys.executable, "-m", "rareevents", *map(str, arguments)], cwd=folder, capture_output=True,
                          text=True, timeout=300, env={**os.environ, "PYTHONPATH": str(ROOT), **environment})


def test_quiet_json_and_exit_codes(script):
    """20,000 draws with a proven bound are trusted; 40 have an interval that is too wide to be."""
    folder = script.parent
    plain, quiet, machine = (asked("run", script, *flags, folder=folder) for flags in ([], ["--quiet"], ["--json"]))
    assert [done.returncode for done in (plain, quiet, machine)] == [0, 0, 0], plain.stderr
    assert "trusted" in plain.stdout and quiet.stdout == quiet.stderr == ""
    assert json.loads(machine.stdout)["storms"]["verdict"] == "trusted"
    few = asked("run", script, "--samples", 40, "--json", folder=folder)
    assert json.loads(few.stdout)["storms"]["verdict"] != "trusted" and few.returncode == 3
    assert asked("run", script, "--sample", 40, folder=folder).returncode == 2
    assert asked("run", "mnoth", folder=folder).returncode == 1


def test_list_for_machines():
    rows = json.loads(asked("list", "--json").stdout)
    assert len(rows) >= 18 and all(Path(row["script"]).is_file() and row["about"] for row in rows)


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(shell):
    done = asked("completion", shell)
    assert done.returncode == 0 and "storms" in done.stdout and "reproduce" in done.stdout


def test_bash_completes_names():
    """What bash offers after `rareevents run sto`."""
    code = asked("completion", "bash").stdout + '''
COMP_WORDS=(rareevents run sto); COMP_CWORD=2; COMP_LINE="rareevents run sto"; _shtab_rareevents
printf "%s\\n" "${COMPREPLY[@]}"
'''
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["storms"], done.stderr


def test_doctor():
    done = asked("doctor")
    assert done.returncode == 0 and "All answers are right" in done.stdout
    assert len(re.findall("^right", done.stdout, re.M)) == 6
    for word in ("Python", "numba", "threads", "cache folder", "CUDA devices"):
        assert re.search(f"^{word} ", done.stdout, re.M)


@pytest.mark.parametrize("arguments", [["run", "storms", "--help"], ["list"], ["doctor"]], ids="-".join)
def test_no_color(arguments):
    """On a terminal, where colours would be shown."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "rareevents", *arguments], cwd=ROOT, stdout=follower,
                               stderr=follower, env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"})
    os.close(follower)
    seen = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:                                        # the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(leader)
    assert process.wait(120) == 0 and len(seen) > 100
    assert not re.search(rb"\x1b\[(?:3[0-7]|9[0-7]|38)[;m\d]*m", seen)
