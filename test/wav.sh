# Recordings made on the spot, read by shell tests before they leave the top directory.
#
#     speak x/1.wav 8000 10 16            a second of a square wave of 500 Hz, 16 bits

# VALUE in COUNT bytes, the lowest first, as printf's escapes.
little_endian() { # VALUE COUNT
    value=$1 left=$2
    while [ "$left" -gt 0 ]; do
        printf '\\%03o' $((value % 256))
        value=$((value / 256)) left=$((left - 1))
    done
}

# 44 bytes that promise SIZE bytes of samples; FORMAT 1: integers, 3: floats.
wav_head() { # FORMAT CHANNELS RATE BITS SIZE
    frame=$(($2 * $4 / 8))
    # shellcheck disable=SC2059
    printf "RIFF$(little_endian $((36 + $5)) 4)WAVEfmt $(little_endian 16 4)$(
        little_endian "$1" 2)$(little_endian "$2" 2)$(little_endian "$3" 4)$(
        little_endian $(($3 * frame)) 4)$(little_endian $frame 2)$(
        little_endian "$4" 2)data$(little_endian "$5" 4)"
}

# A square wave: frames of HIGH for half a PERIOD, then of LOW; both are escapes.
wave() { # COUNT PERIOD HIGH LOW
    # shellcheck disable=SC2059
    printf "$(HIGH=$3 LOW=$4 awk -v count="$1" -v period="$2" 'BEGIN {
        for (i = 0; i < count; i++)
            printf "%s", ENVIRON[i % period < period / 2 ? "HIGH" : "LOW"]
    }')"
}

wav() { # FILE FORMAT CHANNELS RATE BITS TENTHS PERIOD HIGH LOW
    count=$(($4 * $6 / 10))
    { wav_head "$2" "$3" "$4" "$5" $((count * $3 * $5 / 8)) && wave $count "$7" "$8" "$9"; } >"$1"
}

# 16 bits, one channel; TENTHS of a second.
speak() { # FILE RATE TENTHS PERIOD
    wav "$1" 1 1 "$2" 16 "$3" "$4" '\000\040' '\000\340'
}
