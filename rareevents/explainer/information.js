// Information in bits. 0 log 0 is 0, and what cannot happen is infinitely surprising.

const surprise = (p) => -Math.log2(p) + 0; // + 0: no minus before the 0 of a certain day

const crossEntropy = (p, q) => p.reduce((sum, mass, i) => sum + (mass > 0 ? mass * surprise(q[i]) : 0), 0);

const entropy = (p) => crossEntropy(p, p);

// KL(p||q) as a sum of terms that are never negative.
const divergence = (p, q) =>
  p.reduce((sum, mass, i) => sum + (mass > 0 ? mass * Math.log(mass / q[i]) + q[i] - mass : q[i]), 0) / Math.LN2;

// What one draw of q is worth for the sum of p over an event: mu, bits wasted KL(q*||q), relative variance.
function cost(p, q, event) {
  let mu = 0,
    square = 0,
    wasted = 0;
  p.forEach((mass, x) => {
    if (event(x)) mu += mass;
  });
  p.forEach((mass, x) => {
    if (!event(x) || mass === 0) return;
    square += (mass / mu) * (mass / mu / q[x]);
    wasted += (mass / mu) * Math.log2(mass / mu / q[x]);
  });
  return { mu, bits: wasted, variance: square - 1 };
}
