#!/usr/bin/env bash
# Measures the effect of the mutator and of the dictionary, and the speed of `decode`.
# Takes some minutes. Runs from any folder, and leaves only build outputs.
set -euo pipefail
cd "$(dirname "$0")/.."
most=${MOST:-20000000} # executions after which a campaign stops
tries=${TRIES:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build NAME [FEATURES]: builds the target, and copies it to NAME or NAME-FEATURES.
build() {
    cargo fuzz build -s none --features "measure${2:+,$2}" "$1" 2>>"$work/log" ||
        { cat "$work/log"; exit 1; }
    cp "fuzz/target/$(rustc -vV | sed -n 's/host: //p')/release/$1" "$work/$1${2:+-$2}"
}

# executions BINARY SEED [FLAG...]: prints the executions until the panic, from an empty corpus.
executions() {
    local binary=$1 seed=$2
    shift 2
    "$work/$binary" -seed="$seed" -runs="$most" -len_control=0 -max_len=256 -print_final_stats=1 \
        -artifact_prefix="$work/" "$@" 2>&1 |
        sed -n 's/stat::number_of_executed_units: *//p'
}

# median BINARY [FLAG...]: prints the median of the campaigns, each with its own seed.
median() {
    local count
    count=$(for seed in $(seq "$tries"); do executions "$1" "$seed" "${@:2}"; done |
        sort -n | sed -n "$(((tries + 1) / 2))p")
    if [ "$count" -ge "$most" ]; then echo "more than $most"; else echo "$count"; fi
}

for target in three_frames planted; do
    build "$target"
    build "$target" plain
done
dict=-dict=fuzz/header12.dict
echo "Executions until the first panic, median of $tries campaigns from an empty corpus:"
echo
echo "| | three whole frames | a bug in a third frame of exactly the limit |"
echo "|---|---:|---:|"
echo "| plain bytes | $(median three_frames-plain) | $(median planted-plain) |"
echo "| with the dictionary | $(median three_frames-plain $dict) | $(median planted-plain $dict) |"
echo "| with the mutator | $(median three_frames) | $(median planted) |"
echo "| with both | $(median three_frames $dict) | $(median planted $dict) |"

# seconds BINARY: prints the time for 20000 executions of each seed.
seconds() {
    local start=$EPOCHREALTIME
    "$work/$1" -runs=20000 fuzz/corpus/decode/*-* >/dev/null 2>&1
    echo "$EPOCHREALTIME - $start" | bc
}

build decode
build empty
seeds=$(ls fuzz/corpus/decode/*-* | wc -l)
decode=$(seconds decode)
empty=$(seconds empty)
echo
echo "On its $seeds seeds, decode makes $(echo "$seeds * 20000 / $decode" | bc) executions per second;" \
    "an empty target makes $(echo "$seeds * 20000 / $empty" | bc). Ratio: $(echo "scale=2; $empty / $decode" | bc)."
