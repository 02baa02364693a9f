// Probabilities: Poisson counts and the normal law.

const COUNTS = 160; // 0, ..., 159 hold all of the mass that is used here, and none underflows
const LOG_FACTORIAL = [0];
for (let x = 1; x < COUNTS; x++) LOG_FACTORIAL.push(LOG_FACTORIAL[x - 1] + Math.log(x));

const poisson = (rate) => LOG_FACTORIAL.map((log, x) => Math.exp(x * Math.log(rate) - rate - log));

const density = (x, mean) => Math.exp(-0.5 * (x - mean) ** 2) / Math.sqrt(2 * Math.PI);

// P(X > x) of a standard normal: a series in the middle, a continued fraction in the tail; to 13 digits for x > 0.
function upperTail(x) {
  if (x < 2.5) {
    let term = x,
      sum = x;
    for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) sum += term *= (x * x) / k;
    return 0.5 - density(x, 0) * sum;
  }
  let fraction = x;
  for (let k = 200; k > 0; k--) fraction = x + k / fraction;
  return density(x, 0) / fraction;
}

// Simpson's rule with 4,000 steps.
function integral(f, from, to) {
  const steps = 4000,
    step = (to - from) / steps;
  let sum = f(from) + f(to);
  for (let i = 1; i < steps; i++) sum += (i % 2 ? 4 : 2) * f(from + i * step);
  return (sum * step) / 3;
}
