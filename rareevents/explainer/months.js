// Section 4: months of the weather chain under three laws: nominal, feedback, and given the event.

function monthsSection(seed) {
  const SHOWN = 12,
    SAMPLED = 1000,
    PLANS = { nominal: nominalPlan, proposal: feedbackPlan, ideal: doobPlan };
  let draws = seed;
  const level = slider(
    "storm-days",
    (k) => `${k} of ${DAYS} days`,
    () => draw(),
  );
  find("months-again").addEventListener("click", () => {
    draws++;
    draw();
  });

  function draw() {
    const k = level.value,
      curves = {};
    Object.entries(PLANS).forEach(([name, make], i) => {
      const moves = make(k),
        grade = gradePlan(k, moves),
        { storms, event } = storminess(k, moves),
        random = stream(draws, 5 + i),
        rows = [];
      let mean = 0;
      const history = running(SAMPLED, () => {
        const drawn = month(k, moves, random);
        if (rows.length < SHOWN) rows.push(drawn);
        mean += drawn.storms / SAMPLED;
        return drawn.storms >= k ? drawn.weight : 0;
      });
      const found = history.at(-1);
      curves[name] = storms;
      strip(`months-${name}`, rows, k);
      show(
        `${name}-storms`,
        storms.reduce((a, b) => a + b, 0),
        number(
          storms.reduce((a, b) => a + b, 0),
          3,
        ),
      );
      show(`${name}-mean`, mean, number(mean, 3));
      show(`${name}-event`, event, event < 1e-3 ? number(event, 2) : percent(event));
      show(`${name}-wasted`, grade.bits, bits(Math.abs(grade.bits)));
      show(`${name}-relvar`, grade.variance, number(Math.abs(grade.variance) < 1e-9 ? 0 : grade.variance));
      show(`${name}-found`, found.value, found.hits ? number(found.value) : "no hit");
      show(
        `${name}-off`,
        found.error / found.value,
        found.hits ? `± ${percent(found.error / found.value, 1)}` : `< ${number(found.high, 2)}`,
      );
      if (name === "nominal") {
        show("month-mu", grade.mu, number(grade.mu));
        tell("months-words", `A month with ${k} storms or more comes once in ${number(1 / grade.mu, 2)} months.`);
      }
    });
    days(curves);
  }

  // A row for each month, a bar for each day; the number at its end is that of the storms.
  function strip(name, months, k) {
    const host = find(name),
      width = layout.widths.get(host),
      u = layout.unit,
      row = 17 * u,
      step = Math.max(width - 30 * u, 0) / DAYS,
      paths = KINDS.map(() => "");
    const counts = months.map(({ days, storms }, m) => {
      days.forEach((kind, day) => {
        const height = px((4 + 3.2 * kind) * u),
          x = px(day * step);
        paths[kind] += `M${x} ${px(row * (m + 1) - 3 * u)}v${-height}h${px(Math.max(step - 1, 0))}v${height}z`;
      });
      return written(storms, width, row * (m + 1) - 4 * u, "end", storms >= k ? "hit" : "");
    });
    const label = `${SHOWN} months; their storms: ${months.map((drawn) => drawn.storms).join(", ")}`;
    host.innerHTML =
      `<svg role="img" aria-label="${label}" width="${width}" height="${px(row * SHOWN)}">` +
      `${paths.map((path, kind) => `<path class="${SKY[kind]}" d="${path}"/>`).join("")}${counts.join("")}</svg>`;
  }

  function days(curves) {
    picture(find("storminess"), {
      label: "The chance of a storm on each day of the month under the three laws.",
      height: 260,
      x: { from: 1, to: DAYS, whole: true, name: "day of the month" },
      y: { from: 0, to: 1, name: "chance of a storm" },
      marks: (X, Y) =>
        Object.entries(curves)
          .map(([series, storms]) => {
            const points = storms.map((chance, day) => [X(day + 1), Y(chance)]);
            return (
              line(series, points) +
              dots(
                series,
                points.filter((_, day) => day % 3 === 1),
              )
            );
          })
          .join(""),
    });
  }

  legend(
    find("months-legend"),
    SKY.map((kind) => [kind, kind]),
  );
  legend(find("storminess-legend"), [
    ["nominal", "p, usual months"],
    ["proposal", "q, feedback"],
    ["ideal", "given the event"],
  ]);
  return draw;
}
