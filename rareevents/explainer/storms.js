// Section 2: storms of a month, Poisson with mean 4; at least so many of them; a proposal that is Poisson too.

function stormsSection(seed) {
  const RATE = 4,
    p = poisson(RATE),
    SIZES = [100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];
  let draws = seed;
  const least = slider(
    "level",
    (k) => `${k} storms`,
    () => draw(),
  );
  const rate = slider(
    "rate",
    (q) => `${q.toFixed(1)} storms`,
    () => draw(),
  );
  const size = slider(
    "draws",
    (i) => SIZES[i].toLocaleString("en"),
    () => draw(),
  );
  find("best-tilt").addEventListener("click", () => tilted(ideal().mean));
  find("no-tilt").addEventListener("click", () => tilted(RATE));
  find("draw-again").addEventListener("click", () => {
    draws++;
    draw(true);
  });

  const event = (x) => x >= least.value,
    tilted = (mean) => {
      rate.value = mean;
      draw();
    };

  // q*, the nominal law given the event, and its mean: the tilt with that mean wastes least.
  function ideal() {
    const mu = p.reduce((sum, mass, x) => sum + (event(x) ? mass : 0), 0),
      law = p.map((mass, x) => (event(x) ? mass / mu : 0));
    return { law, mean: law.reduce((sum, mass, x) => sum + x * mass, 0) };
  }

  function draw(animated = false) {
    const q = poisson(rate.value),
      n = SIZES[size.value],
      exact = cost(p, q, event),
      naive = cost(p, p, event);
    const run = (law, number) => {
      const random = stream(draws, number),
        next = table(law),
        term = p.map((mass, x) => (event(x) ? mass / law[x] : 0));
      return running(n, () => term[next(random)]);
    };
    const runs = { naive: run(p, 2), tilted: run(q, 3) };
    show("mu", exact.mu, number(exact.mu));
    rows("naive", runs.naive.at(-1), naive);
    rows("tilted", runs.tilted.at(-1), exact);
    show("theta", Math.log(rate.value / RATE), `tilt θ = ln(λ/4) = ${number(Math.log(rate.value / RATE), 3)}`);
    tell(
      "storms-words",
      `The proposal wastes ${bits(exact.bits)}: about ${number(2 ** exact.bits, 2)} draws before an estimate means ` +
        `anything. Naive Monte Carlo wastes ${bits(naive.bits)}: about ${number(2 ** naive.bits, 2)}.`,
    );
    laws(q, ideal().law);
    weights(q);
    (animated ? grow : settle)("settling", (share) => settling(runs, exact.mu, n, share));
    valley(exact);
  }

  function rows(name, found, exact) {
    show(`${name}-estimate`, found.value, found.hits ? number(found.value) : "no hit");
    show(
      `${name}-error`,
      found.error / found.value,
      found.hits ? `± ${percent(found.error / found.value, 1)}` : `< ${number(found.high, 2)}`,
    );
    show(`${name}-hits`, found.hits, found.hits.toLocaleString("en"));
    show(`${name}-ess`, found.ess, found.ess ? number(found.ess, 3) : "0");
    show(`${name}-bits`, exact.bits, bits(exact.bits));
    show(`${name}-variance`, exact.variance, number(exact.variance));
    show(`${name}-needed`, exact.variance / 0.01, number(Math.ceil(exact.variance / 0.01)));
  }

  const axis = { from: -0.5, to: 45.5, whole: true };
  const counts = Array.from({ length: 46 }, (_, x) => x);

  function laws(q, ideal) {
    const top = 1.08 * Math.max(...p, ...q, ...ideal);
    const at = (X, Y, law) => counts.filter((x) => law[x] > 1e-4 * top).map((x) => [X(x), Y(law[x])]);
    picture(find("laws"), {
      label: `Storms under p with mean ${RATE}, q with mean ${rate.value}, and q* from ${least.value} on.`,
      height: 330,
      x: { ...axis, name: "storms in a month" },
      y: { from: 0, to: top, name: "probability" },
      marks: (X, Y, { right, top, bottom }) =>
        box("event", X(least.value - 0.5), right, top, bottom) +
        area("proposal", at(X, Y, q), bottom) +
        [
          ["nominal", p],
          ["ideal", ideal],
          ["proposal", q],
        ]
          .map(([series, law]) => line(series, at(X, Y, law)) + dots(series, at(X, Y, law)))
          .join("") +
        `<path class="edge" d="M${px(X(rate.value))} ${px(bottom)}V${px(Y(Math.max(...q)))}"/>` +
        dots("proposal", [[X(rate.value), Y(Math.max(...q))]], 7),
    });
  }

  // log10 p/q is a line in x, with dots where it counts.
  function weights(q) {
    const log = (x) => Math.log10(p[x] / q[x]),
      inside = counts.filter(event),
      low = Math.min(-1, ...inside.map(log).filter(Number.isFinite));
    const axisY = { from: Math.max(-40, 1.1 * low), to: 1.1 * Math.max(1, log(0)), name: "log₁₀ of the weight p/q" };
    picture(find("weights"), {
      label: `The logarithm of p/q is a line: ${log(0).toFixed(1)} at 0, ${log(least.value).toFixed(1)} at the level.`,
      height: 170,
      x: { ...axis },
      y: axisY,
      marks: (X, Y, { right, top, bottom }) =>
        box("event", X(least.value - 0.5), right, top, bottom) +
        line("nominal", [
          [X(-0.5), Y(0)],
          [right, Y(0)],
        ]) +
        line("proposal", [
          [X(0), Y(log(0))],
          [X(45), Y(log(45))],
        ]) +
        dots(
          "proposal",
          inside.map((x) => [X(x), Y(log(x))]),
        ),
    });
  }

  function settling(runs, mu, n, share) {
    const shown = Math.max(20, 10 * (n / 10) ** share),
      cut = (history) => history.filter((row) => row.n <= shown);
    const low = mu / 30,
      high = Math.max(30 * mu, 0.5);
    const curve = (series, history, X, Y) => {
      const hit = cut(history).filter((row) => row.hits),
        none = cut(history).filter((row) => !row.hits);
      const Z = (v) => Y(Math.max(v, low / 10));
      return (
        band(
          series,
          hit.map((row) => [X(row.n), Z(row.low), Z(row.high)]),
        ) +
        line(
          `${series} bound`,
          none.map((row) => [X(row.n), Y(row.high)]),
        ) +
        line(
          series,
          hit.map((row) => [X(row.n), Z(row.value)]),
        ) +
        dots(
          series,
          hit.filter((_, i) => i % 14 === 0).map((row) => [X(row.n), Z(row.value)]),
        )
      );
    };
    picture(find("settling"), {
      label: `Running estimates after ${n} draws; the exact value is ${number(mu)}.`,
      height: 300,
      x: { from: 10, to: n, log: true, name: "draws of each" },
      y: { from: low, to: high, log: true, name: "estimate, 95 % interval" },
      marks: (X, Y, edges) =>
        curve("nominal", runs.naive, X, Y) +
        curve("proposal", runs.tilted, X, Y) +
        horizontal("line exact", Y(mu), edges),
    });
  }

  // Bits wasted by every tilt.
  function valley(exact) {
    const means = Array.from({ length: 79 }, (_, i) => 1 + 0.5 * i),
      wasted = means.map((mean) => cost(p, poisson(mean), event).bits);
    const naive = cost(p, p, event).bits,
      top = 1.15 * naive;
    picture(find("valley"), {
      label: `Bits wasted by each mean of q: ${bits(exact.bits)} at ${rate.value}, ${bits(naive)} at ${RATE}.`,
      height: 300,
      x: { from: 0, to: 40, name: "mean of the proposal" },
      y: { from: 0, to: top, name: "bits wasted, KL(q*‖q)" },
      marks: (X, Y, { bottom }) =>
        line(
          "proposal",
          means.map((mean, i) => [X(mean), Y(wasted[i])]),
        ) +
        `<path class="edge" d="M${px(X(rate.value))} ${bottom}V${px(Y(exact.bits))}"/>` +
        dots("nominal", [[X(RATE), Y(naive)]], 5) +
        dots("proposal", [[X(rate.value), Y(Math.min(exact.bits, top))]], 6),
    });
  }

  draggable("laws", axis, tilted);
  draggable("valley", { from: 0, to: 40 }, tilted);
  legend(find("laws-legend"), [
    ["nominal", "p, nominal"],
    ["proposal", "q, proposal"],
    ["ideal", "q*, ideal"],
    ["event", "the event"],
  ]);
  legend(find("settling-legend"), [
    ["nominal", "naive; dotted: bound without a hit"],
    ["proposal", "importance sampling"],
    ["exact", "exact"],
  ]);
  return draw;
}
