"""Kills a run with SIGKILL at random moments, again and again, and resumes it: `python kills.py FOLDER KILLS SEED`.

Prints the number of kills, of unreadable checkpoints and of committed chunks that were lost, and whether the bits of
the finished run are those of one that was never interrupted. Children are forked, so that nothing compiles twice.
"""
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import rareevents as rare
from rareevents import checkpoints

QUESTION = (rare.Poisson(4.0), rare.at_least(20), rare.Poisson(20.0))
SAMPLES = 30_000_000


def estimated(path):
    return rare.estimate(*QUESTION, samples=SAMPLES, seed=5, threads=1, checkpoint=path)


def committed(path):
    """The chunks in a checkpoint; None where neither it nor the one before it can be read."""
    try:
        _, prefix = checkpoints._unpacked(path.read_bytes())
        return prefix.chunks
    except FileNotFoundError:
        return 0
    except checkpoints._DamagedError:
        return None


def main(folder, kills, seed):
    path, rng = Path(folder) / "run.checkpoint", random.Random(seed)
    checkpoints.EVERY, checkpoints.SHARE = 0.0, 0             # after every chunk: most kills meet a write
    whole = rare.estimate(*QUESTION, samples=SAMPLES, seed=5, threads=1)
    unreadable = lost = finished = 0
    before = 0
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            estimated(path)
            os._exit(0)
        time.sleep(rng.uniform(0.001, 0.1))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        now = committed(path)
        unreadable += now is None
        lost += now is not None and now < before
        before = before if now is None else now
        if now == len(list(rare.estimate.__globals__["engine"].schedule(SAMPLES))):
            finished += 1
            path.unlink()
            before = 0
    found = estimated(path)
    same = found.to_json() == whole.to_json() and all(
        a.terms.tobytes() == b.terms.tobytes() for a, b in zip(found._groups, whole._groups, strict=True))
    print(json.dumps({"kills": kills, "unreadable": unreadable, "lost": lost, "finished": finished, "same": same,
                      "parts": len(list(Path(folder).glob(".*.part")))}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
