#!/usr/bin/env bash
# Measures what the mutator and the dictionary buy, and how fast `decode` runs.
# Takes some minutes. Run it from anywhere; it leaves nothing behind but builds.
set -euo pipefail
cd "$(dirname "$0")/.."
most=${MOST:-20000000} # executions after which a campaign is given up
tries=${TRIES:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build NAME [FEATURES]: the target, kept under that name with its features.
build() {
    cargo fuzz build -s none --features "measure${2:+,$2}" "$1" 2>>"$work/log" ||
        { cat "$work/log"; exit 1; }
    cp "fuzz/target/$(rustc -vV | sed -n 's/host: //p')/release/$1" "$work/$1${2:+-$2}"
}

# executions BINARY SEED [FLAG...]: how many until the panic, from nothing.
executions() {
    local binary=$1 seed=$2
    shift 2
    "$work/$binary" -seed="$seed" -runs="$most" -len_control=0 -max_len=256 -print_final_stats=1 \
        -artifact_prefix="$work/" "$@" 2>&1 |
        sed -n 's/stat::number_of_executed_units: *//p'
}

# median BINARY [FLAG...]: of some campaigns, each with its own seed.
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
echo "Executions until ..., median of $tries campaigns from nothing:"
echo
echo "| | three whole frames | a bug in a third frame of exactly the limit |"
echo "|---|---:|---:|"
echo "| plain bytes | $(median three_frames-plain) | $(median planted-plain) |"
echo "| with the dictionary | $(median three_frames-plain $dict) | $(median planted-plain $dict) |"
echo "| with the mutator | $(median three_frames) | $(median planted) |"
echo "| with both | $(median three_frames $dict) | $(median planted $dict) |"

# seconds BINARY: for the seeds, each over and over.
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
echo "decode runs the $seeds seeds at $(echo "$seeds * 20000 / $decode" | bc) executions a second," \
    "an empty target at $(echo "$seeds * 20000 / $empty" | bc): $(echo "scale=2; $empty / $decode" | bc) of it."
