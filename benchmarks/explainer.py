"""How long the explainer's page takes to answer a hand. One command; it needs Chromium with its driver:

    python benchmarks/explainer.py

Every control is moved in turn, each time to another value, and timed in the page: from the event until everything that
it changes is computed, drawn and laid out. Writes results/benchmarks/explainer.json.
"""
from __future__ import annotations

import contextlib
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tyro
from selenium import webdriver

from benchmarks.figures import keep
from rareevents.explainer import page

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync")
TARGET = 50.0                                    # milliseconds
MOVE = """
const [control, share] = arguments, element = document.getElementById(control) ?? document.querySelector(control);
const range = element.type === "range";
if (range) element.value = Number(element.min) + share * (element.max - element.min);
const begin = performance.now();
if (range) element.dispatchEvent(new Event("input")); else element.click();
document.body.getBoundingClientRect();
return performance.now() - begin;
"""


@dataclass(frozen=True)
class Settings:
    """How much to measure."""

    rounds: int = 21
    """Moves of each control."""
    width: int = 1280
    """Of the page, in pixels."""


@contextlib.contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """A Chromium of its own, without a window; raises FileNotFoundError where there is none."""
    chromium, service = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not service:
        raise FileNotFoundError("no Chromium with its driver here (Debian: apt install chromium chromium-driver)")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        made = webdriver.Chrome(options=options, service=webdriver.ChromeService(service))
        try:
            yield made
        finally:
            made.quit()


def main(settings: Settings) -> None:
    begin = time.perf_counter()
    with browser() as driver, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "explainer.html"
        path.write_text(page(), encoding="utf-8")
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                               dict(width=settings.width, height=900, deviceScaleFactor=1, mobile=False))
        driver.get(path.as_uri())
        loaded = driver.execute_script("return performance.getEntriesByType('navigation')[0].domComplete")
        controls = driver.execute_script(
            "return [...document.querySelectorAll('input, button')].map((e) => e.id || "
            "(e.dataset.climate ? `[data-climate=${e.dataset.climate}]` : `[data-app=${e.dataset.app}]`))")
        driver.execute_script("document.getElementById('draws').value = 1e9")        # as many as there can be
        times = {control: [driver.execute_script(MOVE, control, (7 * i % settings.rounds) / settings.rounds)
                           for i in range(settings.rounds + 1)][1:] for control in controls if control != "draws"}
        times["draws"] = [driver.execute_script(MOVE, "draws", 1.0) for _ in range(settings.rounds)]
        version = driver.capabilities["browserVersion"]
    found = {"milliseconds": {control: {"median": round(statistics.median(taken), 1), "largest": round(max(taken), 1)}
                              for control, taken in times.items()},
             "target": TARGET, "page_bytes": len(page().encode()), "milliseconds_to_load": round(loaded, 1),
             "chromium": version, "settings": {"rounds": settings.rounds, "width": settings.width}}
    keep("explainer", found, time.perf_counter() - begin)
    for control, row in sorted(found["milliseconds"].items(), key=lambda item: -item[1]["median"]):
        print(f"{control:<24}{row['median']:>8} ms{row['largest']:>8} ms at most")
    print(f"{found['page_bytes']:,} bytes, loaded in {loaded:.0f} ms")


if __name__ == "__main__":
    main(tyro.cli(Settings))
