"""Fails unless constraints.txt pins one version of everything, on every supported Python, as pyproject.toml asks.

And unless constraints-hashes.txt holds all that the packages in it require: pip takes no other with --require-hashes.
"""
import re
import sys
import tomllib
from importlib.metadata import distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
NOT_PINNED = {"pip", "setuptools", "wheel", "rareevents"}           # what a fresh environment brings along, and we


def pins(lines, environment):
    """Name -> version of the lines that apply in an environment; the second value lists what is wrong with them."""
    found, wrong = {}, []
    for line in lines:
        pin = Requirement(line)
        if pin.marker and not pin.marker.evaluate(environment):
            continue
        name, specifiers = canonicalize_name(pin.name), list(pin.specifier)
        if len(specifiers) != 1 or specifiers[0].operator != "==" or pin.url or pin.extras:
            wrong.append(f"'{line}' is not of the form name==version")
        elif name in found:
            wrong.append(f"'{name}' is pinned twice")
        else:
            found[name] = specifiers[0].version
    return found, wrong


def unmet(project, found, environment):
    """The requirements of pyproject.toml that the pins do not satisfy."""
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"],
              *(line for extra in project["project"]["optional-dependencies"].values() for line in extra)]
    for requirement in map(Requirement, wanted):
        if requirement.marker and not requirement.marker.evaluate(environment):
            continue
        version = found.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            yield f"'{requirement}' is not satisfied: {version or 'no pin'}"


def unhashed(lines):
    """What the packages with hashes require here and has none."""
    hashed, _ = pins([line.partition(" --hash=")[0].rstrip(" \\") for line in lines if "==" in line], None)
    for name in hashed:
        for requirement in map(Requirement, requires(name) or []):
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if applies and canonicalize_name(requirement.name) not in hashed:
                yield f"constraints-hashes.txt lacks '{requirement}', which {name} requires"


def main():
    """Print every fault and exit with 1 if there is one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    faults = ["constraints.txt names a host or a path"] if re.search(r"://|^-|file:", "\n".join(lines), re.M) else []
    pythons = [c.rpartition(" ")[2] for c in project["project"]["classifiers"] if re.search(r":: 3\.\d+$", c)]
    for python in pythons:
        environment = {"python_version": python, "python_full_version": f"{python}.0"}
        found, wrong = pins(lines, environment)
        faults += [f"Python {python}: {fault}" for fault in [*wrong, *unmet(project, found, environment)]]
    here, _ = pins(lines, None)
    for installed in distributions():
        name = canonicalize_name(installed.name)
        if name not in NOT_PINNED and here.get(name) != installed.version:
            faults.append(f"installed here: {name} {installed.version}, pinned: {here.get(name, 'no version')}")
    text = (ROOT / "constraints-hashes.txt").read_text(encoding="utf-8")
    faults += unhashed(line for line in text.splitlines() if not line.startswith("#"))
    print("\n".join(faults) or f"{len(lines)} lines, Python {', '.join(pythons)}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
