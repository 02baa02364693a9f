// The running mean of n terms, with its error: all sums at about forty numbers of draws a decade.

function running(n, term) {
  const history = [];
  let sum = 0,
    squares = 0,
    hits = 0,
    next = 10;
  for (let i = 1; i <= n; i++) {
    const y = term();
    if (y !== 0) {
      hits++;
      sum += y;
      squares += y * y;
    }
    if (i === next || i === n) {
      history.push(summary(i, hits, sum, squares));
      next = Math.max(next + 1, Math.round(next * 1.06));
    }
  }
  return history;
}

// Value, standard error, effective sample size (sum y)^2 / sum y^2, and the relative variance of one draw.
// Without a hit the 95 % interval reaches from 0 to the p for which no hit in n draws has probability 1/40.
function summary(n, hits, sum, squares) {
  const value = sum / n,
    spread = Math.max(squares - sum * value, 0) / (n - 1),
    error = Math.sqrt(spread / n);
  const [low, high] = hits ? [Math.max(0, value - 1.96 * error), value + 1.96 * error] : [0, 1 - 0.025 ** (1 / n)];
  return { n, hits, value, error, low, high, ess: hits ? (sum * sum) / squares : 0, variance: spread / value ** 2 };
}
