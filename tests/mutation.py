"""Applies a mutant to a copy of the package and runs tests against it; `python tests/mutation.py` tries all of them.

For each mutant it prints the tests that fail, relations first, and at the end what survived: hours on one core.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[1]
RELATIONS = ("tests/test_metamorphic_runs.py", "tests/test_metamorphic.py")
UNIT = ("tests/test_moments.py", "tests/test_checks.py", "tests/test_intervals.py", "tests/test_premises.py",
        "tests/test_tails.py", "tests/test_importance.py", "tests/test_engine.py")


class Workshop:
    """A copy of the package and its tests, with the compiled kernels, where one file at a time is changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "rareevents", folder / "rareevents")
        shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)

    def failures(self, mutant: Mutant | None, tests: tuple[str, ...], seconds: float = 600.0) -> set[str]:
        """The tests that fail, as file::name; 'timeout' where they do not end."""
        if mutant is None:
            return self._run(tests, seconds)
        path = self.folder / "rareevents" / mutant.file
        original, times = path.read_bytes(), path.stat()
        path.write_text(mutated(mutant), encoding="utf-8")
        try:
            return self._run(tests, seconds)
        finally:
            path.write_bytes(original)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))        # the kernels on disk stay valid

    def _run(self, tests: tuple[str, ...], seconds: float) -> set[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        environment |= {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-q", "-n0", "-rfE", "--tb=no", "-p", "no:cacheprovider",
                   "--hypothesis-profile=mutants", *tests]
        try:
            done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True,
                                  timeout=seconds)
        except subprocess.TimeoutExpired:
            return {"timeout"}
        names = re.findall(r"^(?:FAILED|ERROR) (?:tests/)?(\S+)", done.stdout, re.M)
        found = {re.sub(r"\[.*", "", name) for name in names}
        if done.returncode not in (0, 1) and not found:
            raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return found


def mutated(mutant: Mutant) -> str:
    """The text of the file with the fault in it."""
    text = (ROOT / "rareevents" / mutant.file).read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.breaks}: the old text occurs {text.count(mutant.old)} times in {mutant.file}")
    return text.replace(mutant.old, mutant.new)


def main() -> None:
    """Try every mutant: the relations, and the other tests where no relation fails."""
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        shop = Workshop(Path(folder))
        if shop.failures(None, (*RELATIONS, *UNIT)):
            raise RuntimeError("tests fail without a mutant")
        for mutant in MUTANTS:
            found = shop.failures(mutant, RELATIONS) or shop.failures(mutant, UNIT)
            print(f"{mutant.file}: {mutant.breaks}: {', '.join(sorted(found)) or 'SURVIVED'}", flush=True)
            survivors += [] if found else [mutant.breaks]
    print(f"{len(MUTANTS) - len(survivors)} of {len(MUTANTS)} killed; survived: {'; '.join(survivors) or 'none'}")


if __name__ == "__main__":
    main()
