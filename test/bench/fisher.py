"""Fisher's exact test of two counts, for the scripts beside this file."""
import math


def fisher(a, n, b, m):
    """Two-sided p of a of n against b of m: all tables with these margins that are as unlikely."""
    k, total = a + b, math.comb(n + m, a + b)

    def ways(i):
        return math.comb(n, i) * math.comb(m, k - i)

    limit = ways(a)
    return sum(ways(i) for i in range(max(0, k - m), min(n, k) + 1) if ways(i) <= limit) / total
