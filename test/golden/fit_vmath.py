#!/usr/bin/env python3
"""Remakes the polynomials of engine/kern/vmath_float.h (needs numpy and mpmath).

Each fit is minimax in relative error: weighted least squares in a Chebyshev basis with Lawson's
reweighting, references from mpmath at 30 digits.  The measured errors of the float functions
themselves stand above each function in the header; test/unit/test_vmath.c measures them."""
import numpy as np
import mpmath as mp

mp.mp.dps = 30


def lawson(x, target, weight, terms, rounds=300):
    """Coefficients c of sum c_k x^k ~ target, least max |weight (fit - target)|."""
    lo, hi = x.min(), x.max()
    z = (2 * x - lo - hi) / (hi - lo)
    basis = np.polynomial.chebyshev.chebvander(z, terms - 1)
    w = np.ones_like(x)
    best, best_error = None, np.inf
    for _ in range(rounds):
        row = np.sqrt(w) * weight
        c = np.linalg.lstsq(basis * row[:, None], target * row, rcond=None)[0]
        error = np.abs((basis @ c - target) * weight)
        if error.max() < best_error:
            best, best_error = c, error.max()
        w = w * error
        w /= w.mean()
    poly = np.polynomial.Polynomial(np.polynomial.chebyshev.cheb2poly(best))
    shifted = poly(np.polynomial.Polynomial([-(lo + hi) / (hi - lo), 2 / (hi - lo)]))
    return shifted.coef, best_error


def nodes(lo, hi, count=1500):
    return (lo + hi) / 2 + (hi - lo) / 2 * np.cos(np.linspace(np.pi, 0, count))


def show(title, coefficients, error):
    print(f"{title}: relative error {error:.2e}")
    for k, c in enumerate(coefficients):
        print(f"    c{k} = {c: .9e}f")


def table(function, x):
    return np.array([float(function(mp.mpf(float(v)))) for v in x])


def fit_exp(terms=4):
    """exp(r) = 1 + r + r^2 q(r), |r| <= ln2/2."""
    r = nodes(-0.3467, 0.3467)
    r = r[np.abs(r) > 1e-9]
    q = table(lambda v: (mp.exp(v) - 1 - v) / v**2, r)
    show("exp", *lawson(r, q, r * r / np.exp(r), terms))


def fit_log(terms=8):
    """log(1 + f) = f - f^2/2 + f^3 q(f), sqrt(1/2) <= 1 + f < sqrt(2)."""
    f = nodes(np.sqrt(0.5) - 1, np.sqrt(2.0) - 1)
    f = f[np.abs(f) > 1e-6]
    q = table(lambda v: (mp.log(1 + v) - v + v * v / 2) / v**3, f)
    show("log", *lawson(f, q, f**3 / np.log1p(f), terms))


def mills(v):
    """Phi(-x) / exp(-x^2/2)."""
    return mp.erfc(v / mp.sqrt(2)) / 2 * mp.exp(v * v / 2)


def fit_normal(terms=9):
    """Phi(-x) = exp(-x^2/2) t P(t), t = 1 / (1 + c x), 0 <= x <= 13.3; c by search
    (below 0.3 the rounding of t, magnified by the slope of log P(t), outweighs the fit)."""
    best = None
    for c in np.arange(0.30, 0.62, 0.02):
        t = nodes(1 / (1 + c * 13.3), 1.0, 800)
        target = table(lambda v: mills((1 / v - 1) / c) / v, t)
        fit = lawson(t, target, 1 / target, terms, 60)
        if best is None or fit[1] < best[1][1]:
            best = (c, fit)
        print(f"    c = {c:.2f}: {fit[1]:.2e}, largest coefficient {np.abs(fit[0]).max():.3f}")
    print(f"normal, c = {best[0]:.2f}")
    show("normal", *best[1])


def fit_tanh(terms=5):
    """tanh(x) = x + x^3 q(x^2), |x| <= 0.625."""
    z = nodes(1e-6, 0.625**2)
    q = table(lambda v: (mp.tanh(mp.sqrt(v)) / mp.sqrt(v) - 1) / v, z)
    show("tanh", *lawson(z, q, z / (np.tanh(np.sqrt(z)) / np.sqrt(z)), terms))


if __name__ == "__main__":
    fit_exp()
    fit_log()
    fit_tanh()
    fit_normal()
