"""Makes test/golden/logmel.json: log-mel features, step by step and with an FFT, in float64.

    python3 test/golden/make_logmel.py > test/golden/logmel.json

The signal is a chirp with a second tone, a constant, and noise of a linear congruential generator;
its second half is 60 dB quieter, its last eighth is silence.  test_logmel.c makes the same one.
"""
import json

import numpy as np

FILTERS = 80


def signal(rate):
    n = np.arange(rate * 3 // 4)
    state, noise = 12345, []
    for _ in n:
        state = (1103515245 * state + 12345) % 2**31
        noise.append(state / 2**30 - 1)
    t = n / rate
    x = 0.4 * np.sin(2 * np.pi * (150 + 1200 * t) * t) + 0.2 * np.sin(2 * np.pi * 0.3 * rate * t)
    x = x + 0.05 + 0.01 * np.array(noise)
    x[len(x) // 2:] *= 1e-3
    x[len(x) - len(x) // 8:] = 0
    return x.astype(np.float32)


def frames_of(x, rate):
    """[frames, N] after pre-emphasis and window."""
    size, hop = (rate * 25 + 500) // 1000, (rate * 10 + 500) // 1000
    count = (len(x) - size) // hop + 1
    f = np.stack([x[i * hop:i * hop + size] for i in range(count)]).astype(np.float64) * 32768
    emphasised = f.copy()
    emphasised[:, 1:] -= 0.97 * f[:, :-1]
    emphasised[:, 0] *= 1 - 0.97
    n = np.arange(size)
    return emphasised * (0.54 - 0.46 * np.cos(2 * np.pi * n / (size - 1)))


def bank(rate, bins):
    """[bins, FILTERS] triangles."""
    top = 2595 * np.log10(1 + rate / 2 / 700)
    mels = np.arange(FILTERS + 2) * top / (FILTERS + 1)
    h = 700 * (10 ** (mels / 2595) - 1) * (bins - 1) * 2 / rate
    k = np.arange(bins)[:, None]
    rise = (k - h[:-2]) / (h[1:-1] - h[:-2])
    fall = (h[2:] - k) / (h[2:] - h[1:-1])
    return np.maximum(0, np.minimum(rise, fall))


def features(x, rate):
    """[frames, FILTERS] of samples within -1 ... 1."""
    f = frames_of(x, rate)
    points = 1 << (f.shape[1] - 1).bit_length()
    magnitude = np.abs(np.fft.rfft(f, points))
    return np.log(np.maximum(magnitude @ bank(rate, points // 2 + 1), 1.0))


def main():
    cases = []
    for rate in (8000, 11025, 16000, 44100):
        x = features(signal(rate), rate)
        rows = [0, len(x) // 3, len(x) * 3 // 4, len(x) - 1]
        normal = (x - x.mean()) / x.std()
        cases.append({"rate": rate, "frames": len(x), "mean": round(x.mean(), 7),
                      "std": round(x.std(), 7), "rows": rows,
                      "features": [[round(v, 5) for v in x[r]] for r in rows],
                      "normal": [round(v, 6) for v in normal[rows[1]]]})
    print("[" + ",\n".join(json.dumps(c) for c in cases) + "]")


if __name__ == "__main__":
    main()
