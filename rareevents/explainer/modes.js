// Section 3: a standard normal beyond one level, or beyond two; a proposal that is centred at the first.

function modesSection(seed) {
  const n = 10000,
    FAR = 16;
  let draws = seed;
  const upper = slider(
    "upper",
    (a) => a.toFixed(1),
    () => draw(),
  );
  const lower = slider(
    "lower",
    (b) => `−${b.toFixed(1)}`,
    () => draw(),
  );
  const share = slider(
    "share",
    (s) => (s ? `${s} %` : "none"),
    () => draw(),
  );
  const both = find("both");
  both.addEventListener("change", () => draw());
  find("modes-again").addEventListener("click", () => {
    draws++;
    draw(true);
  });

  function law() {
    const a = upper.value,
      b = -lower.value,
      s = both.checked ? share.value / 100 : 0;
    const q = (x) => (1 - s) * density(x, a) + s * density(x, b),
      event = (x) => x > a || (both.checked && x < b);
    return { a, b, s, q, event };
  }

  // Exact: tails by continued fractions, bits and variance by Simpson's rule over the event.
  function truth({ a, b, q }) {
    const mu = upperTail(a) + (both.checked ? upperTail(-b) : 0),
      p = (x) => density(x, 0);
    const over = (f) => integral(f, a, a + FAR) + (both.checked ? integral(f, b - FAR, b) : 0);
    return {
      mu,
      one: upperTail(a),
      variance: over((x) => (p(x) / q(x)) * p(x)) / mu / mu - 1,
      bits: over((x) => (p(x) > 0 ? (p(x) / mu) * Math.log2(p(x) / mu / q(x)) : 0)),
    };
  }

  function draw(animated = false) {
    const asked = law(),
      { a, b, s, q, event } = asked,
      exact = truth(asked),
      random = stream(draws, 4),
      sides = { right: 0, left: 0 },
      rug = [];
    share.tell();
    find("lower").disabled = find("share").disabled = !both.checked;
    const history = running(n, () => {
      const x = (random.uniform() < s ? b : a) + random.normal();
      if (rug.length < 120) rug.push(x);
      if (!event(x)) return 0;
      sides[x > 0 ? "right" : "left"]++;
      return density(x, 0) / q(x);
    });
    const found = history.at(-1),
      holds = found.low <= exact.mu && exact.mu <= found.high;
    show("modes-estimate", found.value, number(found.value));
    show("modes-mu", exact.mu, number(exact.mu));
    show("modes-error", found.error / found.value, `± ${percent(found.error / found.value, 1)}`);
    show(
      "modes-off",
      found.value / exact.mu - 1,
      `${found.value < exact.mu ? "−" : "+"}${percent(Math.abs(found.value / exact.mu - 1), 1)}`,
    );
    show("modes-said", found.variance, number(found.variance));
    show("modes-variance", exact.variance, number(exact.variance));
    show("modes-needed-said", found.variance / 0.01, number(Math.ceil(found.variance / 0.01)));
    show("modes-needed", exact.variance / 0.01, number(Math.ceil(exact.variance / 0.01)));
    show("modes-right", sides.right, sides.right.toLocaleString("en"));
    show("modes-left", sides.left, sides.left.toLocaleString("en"));
    show("modes-bits", exact.bits, bits(exact.bits));
    find("modes-words").classList.toggle("wrong", !holds);
    tell(
      "modes-words",
      `95 % interval ${number(found.low)} to ${number(found.high)}; the answer is ${number(exact.mu)}: ` +
        (holds
          ? "the interval holds it."
          : sides.left || !both.checked
            ? "the interval misses it."
            : "confidently wrong."),
    );
    curves(asked, exact, rug);
    (animated ? grow : settle)("modes-settling", (part) => settling(history, exact, part));
  }

  function curves({ a, b, q, event }, { mu }, rug) {
    const grid = Array.from({ length: 641 }, (_, i) => -8 + i / 40),
      ideal = (x) => density(x, 0) / mu;
    const top = 1.08 * Math.max(0.4, ideal(a), both.checked ? ideal(b) : 0),
      at = (X, Y, f, keep = () => true) => grid.filter(keep).map((x) => [X(x), Y(f(x))]);
    const side = (X, Y, keep, level, end) => {
      const points = [[X(level), Y(0)], [X(level), Y(ideal(level))], ...at(X, Y, ideal, keep), [X(end), Y(0)]];
      return end < level
        ? [[X(end), Y(0)], ...at(X, Y, ideal, keep), [X(level), Y(ideal(level))], [X(level), Y(0)]]
        : points;
    };
    picture(find("modes-laws"), {
      label: `Nominal law, proposal and ideal proposal; the event: above ${a}${both.checked ? ` or below ${b}` : ""}.`,
      height: 320,
      x: { from: -8, to: 8, name: "x" },
      y: { from: 0, to: top, name: "density" },
      marks: (X, Y, { left, right, top, bottom }) =>
        box("event", X(a), right, top, bottom) +
        (both.checked ? box("event", left, X(b), top, bottom) : "") +
        area("proposal", at(X, Y, q), bottom) +
        line(
          "nominal",
          at(X, Y, (x) => density(x, 0)),
        ) +
        line("proposal", at(X, Y, q)) +
        line(
          "ideal",
          side(X, Y, (x) => x > a, a, 8),
        ) +
        (both.checked
          ? line(
              "ideal",
              side(X, Y, (x) => x < b, b, -8),
            )
          : "") +
        `<path class="rug" d="${rug.map((x) => `M${px(X(x))} ${px(bottom)}v-9`).join("")}"/>`,
    });
  }

  function settling(history, { mu, one }, part) {
    const shown = Math.max(20, 10 * (n / 10) ** part),
      rows = history.filter((row) => row.n <= shown && row.hits),
      high = 2.2 * mu;
    picture(find("modes-settling"), {
      label: `The running estimate after ${n} draws is ${number(history.at(-1).value)}; the answer is ${number(mu)}.`,
      height: 270,
      x: { from: 10, to: n, log: true, name: "draws" },
      y: { from: 0, to: high / mu, name: "estimate, in units of the answer" },
      marks: (X, Y, edges) =>
        band(
          "proposal",
          rows.map((row) => [X(row.n), Y(row.low / mu), Y(row.high / mu)]),
        ) +
        horizontal("line exact", Y(1), edges) +
        line(
          "proposal",
          rows.map((row) => [X(row.n), Y(row.value / mu)]),
        ) +
        dots(
          "proposal",
          rows.filter((_, i) => i % 14 === 0).map((row) => [X(row.n), Y(row.value / mu)]),
        ),
    });
  }

  legend(find("modes-legend"), [
    ["nominal", "p, nominal"],
    ["proposal", "q, proposal"],
    ["ideal", "q*, ideal"],
    ["event", "the event"],
    ["rug", "first draws"],
  ]);
  legend(find("modes-settling-legend"), [
    ["proposal", "estimate, 95 % interval"],
    ["exact", "exact"],
  ]);
  return draw;
}
