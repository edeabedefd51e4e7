# The table of docs/scaling.md: awk -f test/bench/scaling.awk </dev/null
#
# Efficiency of N nodes against one, by the formulas of that page.  A model is its parameters,
# the batch of a step, and the floating-point operations of training on one of its examples.

function lg(n,   k) { for (k = 0; 2 ^ k < n; k++); return k }
function larger(a, b) { return a > b ? a : b }

# Seconds of a sum of `bytes` over n nodes in k pieces: Rabenseifner's way.
function sum_time(bytes, n, k) { return 2 * (n - 1) / n * bytes / wire + k * 2 * lg(n) * latency }

function step_time(n,   bytes, k, work, hidden, tail) {
    bytes = 4 * params
    k = bytes / bucket
    work = batch / n * flops / rate
    tail = sum_time(bucket, n, 1)
    hidden = larger(0, sum_time(bytes, n, k) - tail - 2 / 3 * work)
    return work + hidden + tail + 28 * params / memory + 5 * 2 * lg(n) * latency
}

function row(name,   n, line) {
    line = sprintf("| %s |", name)
    for (n = 8; n <= 1024; n *= 2) {
        if (n != 8 && n != 32 && n != 128 && n != 512 && n != 1024) continue
        line = line sprintf(" %.0f ms, %.0f %% |", 1e3 * step_time(n),
                            100 * batch / n * flops / rate / step_time(n))
    }
    print line
}

function network(name, bytes_a_second, seconds) {
    wire = bytes_a_second
    latency = seconds
    params = 86.6e6; batch = 4096; flops = 3 * 35.2e9
    row("ViT-B/16, " name)
    params = 304e6; batch = 4096; flops = 3 * 123e9
    row("ViT-L/16, " name)
    params = 777e6; batch = 524288; flops = 3 * 1.51e9
    row("translator, " name)
}

BEGIN {
    rate = 3.2e12   # FLOP/s of training on one node: 4 TFLOP/s of GEMM, 80 % of it
    memory = 200e9  # bytes a second of a node's memory
    bucket = 8 * 1048576
    print "| step time, efficiency | N = 8 | 32 | 128 | 512 | 1,024 |"
    print "| --- | --- | --- | --- | --- | --- |"
    network("100 Gbit/s", 10e9, 5e-6)
    network("10 Gbit/s", 1.1e9, 30e-6)
}
