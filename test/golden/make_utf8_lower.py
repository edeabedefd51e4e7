"""Makes the table of data/file/utf8_lower_parts.h from Python's str.lower(), and the checksum in test_utf8.c.

    python3 test/golden/make_utf8_lower.py > data/file/utf8_lower_parts.h

A row says: from `first` to `last`, each `step`-th code point has a lower-case form that is
`shift` higher.  Mappings to several code points (U+0130 is the only one) are left out.
"""
import sys
import unicodedata


def simple_lower(code):
    if 0xD800 <= code <= 0xDFFF:
        return code
    lower = chr(code).lower()
    return ord(lower) if len(lower) == 1 else code


def make_rows():
    rows = []  # [first, last, step, shift]
    for code in range(0x80, 0x110000):
        shift = simple_lower(code) - code
        if shift == 0:
            continue
        if rows and rows[-1][3] == shift:
            first, last, step, _ = rows[-1]
            gap = code - last
            if gap <= 2 and (first == last or gap == step):
                rows[-1][1], rows[-1][2] = code, gap
                continue
        rows.append([code, code, 1, shift])
    return rows


def checksum():
    """FNV-1a over the lower-case forms of all code points, four bytes each, low byte first."""
    sum_ = 0xCBF29CE484222325
    for code in range(0x110000):
        for byte in simple_lower(code).to_bytes(4, "little"):
            sum_ = (sum_ ^ byte) * 0x100000001B3 % 2**64
    return sum_


print(f"""/* utf8_lower_parts: upper-case code points beyond ASCII and how far their lower-case form
 * is.  Made by test/golden/make_utf8_lower.py from Unicode {unicodedata.unidata_version}: do not edit. */
#ifndef STEADY_UTF8_LOWER_PARTS_H
#define STEADY_UTF8_LOWER_PARTS_H

#include <stdint.h>

/* Each step-th code point of first ... last has its lower-case form at code + shift. */
static const struct LowerRow {{
    uint32_t first, last, step;
    int32_t shift;
}} LOWER_ROWS[] = {{
    /* clang-format off */""")
rows = ["{0x%04X, 0x%04X, %d, %d}," % tuple(row) for row in make_rows()]
for i in range(0, len(rows), 3):
    print("    " + " ".join(rows[i:i + 3]))
print("    /* clang-format on */\n};\n\n#endif")
print("checksum 0x%016x" % checksum(), file=sys.stderr)
