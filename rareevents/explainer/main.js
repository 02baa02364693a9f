// The page: sections in the order of the story, each drawn at once and again when the width changes.

const SEED = Number(new URLSearchParams(location.search).get("seed") ?? 1) >>> 0;
find("seed").textContent = SEED;

const sections = [surpriseSection, stormsSection, modesSection, monthsSection].map((section) => section(SEED));
let drawnAt = 0;
new ResizeObserver(() => {
  if (document.documentElement.clientWidth === drawnAt) return;
  drawnAt = document.documentElement.clientWidth;
  measure();
  sections.forEach((draw) => draw());
}).observe(document.documentElement);

// For the console, and for the tests.
globalThis.explainer = { generator, stream, table, poisson, nominalPlan, feedbackPlan, doobPlan, storminess };
