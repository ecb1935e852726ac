#!/usr/bin/env bash
# Builds `decode` and `planted` for other fuzzing engines, and prints a table: the executions per
# second of `decode` on its seeds, and the executions and seconds until `planted` crashes, from an
# input of two bytes, with the dictionary, as medians. Each engine has one process.
#
#     engines.sh [afl] [honggfuzz] [libafl] [fork]
#
# AFL++ must be installed: Debian's afl++. The sources of honggfuzz and LibAFL come from the registry.
# honggfuzz needs binutils-dev, libunwind-dev and liblzma-dev; LibAFL needs LLVM's tools, from rustup's
# llvm-tools or Debian's llvm, and takes some minutes to build. Builds stay in `target/engines`.
set -euo pipefail
cd "$(dirname "$0")"
tries=${TRIES:-5}
duration=${DURATION:-20} # seconds of `decode`
most=${MOST:-120}        # seconds after which a campaign for `planted` stops
host=$(rustc -vV | sed -n 's/^host: //p')
cache=$PWD/target/engines
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/start"
printf 'a\n' >"$work/start/two-bytes"

guards="-Cllvm-args=-sanitizer-coverage-level=3 -Cllvm-args=-sanitizer-coverage-trace-pc-guard"
counters="-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-pc-table"
counters+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"

# build ENGINE COVERAGE: builds the targets with the engine $cache/ENGINE/libengine.a, and with
# libFuzzer if there is none. The flags are those of cargo-fuzz, but for the kind of coverage.
build() {
    local library=$cache/$1/libengine.a
    if [ -e "$library" ]; then export CUSTOM_LIBFUZZER_PATH=$library; fi
    RUSTFLAGS="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module $2
        -Cllvm-args=-sanitizer-coverage-trace-compares" \
        cargo build --quiet --release --locked --target "$host" --target-dir "$cache/$1" \
        --features measure --bin decode --bin planted
    unset CUSTOM_LIBFUZZER_PATH
    targets=$cache/$1/$host/release
}

# package NAME VERSION: makes an empty crate that depends on a crate.
package() {
    package=$cache/$1-package
    mkdir -p "$package"
    cat >"$package/Cargo.toml" <<TOML
[package]
name = "package"
edition = "2024"
[lib]
path = "lib.rs"
[dependencies]
$1 = "=$2"
[workspace]
TOML
    touch "$package/lib.rs"
}

# For each engine, `build_ENGINE`; `speed_ENGINE`, which prints executions per second; and
# `find_ENGINE SEED`, which prints executions, and fails if there is no crash.

build_afl() {
    local runtime=${AFL_PATH:-/usr/lib/afl}
    mkdir -p "$cache/afl"
    cp "$runtime/libAFLDriver.a" "$cache/afl/libengine.a"
    ar r "$cache/afl/libengine.a" "$runtime/afl-compiler-rt.o"
    build afl "$guards"
}

# run_afl FIELD ARGUMENT...: prints a field of the campaign's statistics.
run_afl() {
    rm -rf "$work/afl"
    AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        afl-fuzz -o "$work/afl" "${@:2}" >"$work/log" 2>&1 || true
    sed -n "s/^$1 *: //p" "$work/afl/default/fuzzer_stats"
}

speed_afl() {
    run_afl execs_per_sec -i corpus/decode -G 4096 -V "$duration" "$targets/decode"
}

find_afl() {
    AFL_BENCH_UNTIL_CRASH=1 run_afl execs_done -i "$work/start" -x header12.dict -G 256 -s "$1" \
        -V "$most" "$targets/planted"
    grep -q '^saved_crashes *: [1-9]' "$work/afl/default/fuzzer_stats"
}

build_honggfuzz() {
    package honggfuzz 0.5.62
    [ -e "$package/vendor" ] || (cd "$package" && cargo vendor --quiet >/dev/null)
    local source=$package/vendor/honggfuzz/honggfuzz
    make --silent -C "$source" BUILD_LINUX_NO_BFD=true \
        honggfuzz libhfuzz/libhfuzz.a libhfcommon/libhfcommon.a
    mkdir -p "$cache/honggfuzz"
    rm -f "$cache/honggfuzz/libengine.a"
    printf '%s\n' "create $cache/honggfuzz/libengine.a" "addlib $source/libhfuzz/libhfuzz.a" \
        "addlib $source/libhfcommon/libhfcommon.a" save | ar -M
    build honggfuzz "$counters"
}

# run_honggfuzz FIELD ARGUMENT...: prints a field of the campaign's summary.
run_honggfuzz() {
    rm -rf "$work/honggfuzz"
    mkdir -p "$work/honggfuzz/corpus"
    "$cache/honggfuzz-package/vendor/honggfuzz/honggfuzz/honggfuzz" -v -n 1 -W "$work/honggfuzz" \
        -o "$work/honggfuzz/corpus" "${@:2}" >"$work/log" 2>&1 || true
    sed -n "s/^Summary .*$1:\([0-9]*\).*/\1/p" "$work/log"
}

speed_honggfuzz() {
    run_honggfuzz speed -i corpus/decode -F 4096 --run_time "$duration" -- "$targets/decode"
}

# honggfuzz takes no seed.
find_honggfuzz() {
    run_honggfuzz iterations -i "$work/start" -w header12.dict -F 256 --run_time "$most" \
        --exit_upon_crash -- "$targets/planted"
    grep -q '^Summary .*crashes_count:[1-9]' "$work/log"
}

build_libafl() {
    package libafl_libfuzzer 0.16.1
    # The crate builds the engine for itself, in a folder of its own.
    CARGO_PROFILE_RELEASE_DEBUG=0 cargo build --quiet --release --manifest-path "$package/Cargo.toml"
    mkdir -p "$cache/libafl"
    find "$package/target" -name libFuzzer.a -exec cp {} "$cache/libafl/libengine.a" \;
    build libafl "$counters"
}

# run_libafl SECONDS ARGUMENT...: prints the number of executions.
run_libafl() {
    rm -rf "$work/libafl"
    mkdir -p "$work/libafl/corpus"
    (cd "$work/libafl" && timeout "$1" "${@:2}") >"$work/log" 2>&1 || true
    sed -n 's/.*(GLOBAL).* executions: \([0-9]*\),.*/\1/p' "$work/log" | tail -n 1
}

# Grimoire mutates text.
speed_libafl() {
    local executions
    executions=$(run_libafl "$duration" "$targets/decode" -grimoire=0 corpus "$PWD/corpus/decode")
    echo $((executions / duration))
}

# LibAFL takes no seed.
find_libafl() {
    run_libafl "$most" "$targets/planted" -grimoire=0 -dict="$PWD/header12.dict" corpus "$work/start"
    grep -q '(GLOBAL).* objectives: [1-9]' "$work/log"
}

build_fork() {
    build fork "$counters"
}

# fork_executions: prints the executions of the jobs that ended, and of one that crashed.
fork_executions() {
    local ended crashed
    ended=$(sed -n 's/^#\([0-9]*\):.*/\1/p' "$work/log" | tail -n 1)
    crashed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
    echo $((ended + crashed))
}

speed_fork() {
    mkdir -p "$work/fork"
    "$targets/decode" -fork=1 -max_total_time="$duration" -max_len=4096 "$work/fork" corpus/decode \
        >"$work/log" 2>&1
    echo $(($(fork_executions) / duration))
}

find_fork() {
    local status=0
    "$targets/planted" -fork=1 -seed="$1" -max_total_time="$most" -len_control=0 -max_len=256 \
        -dict=header12.dict -artifact_prefix="$work/" "$work/start" >"$work/log" 2>&1 || status=$?
    fork_executions
    [ "$status" -ne 0 ]
}

# median FIELD FILE: prints the median of a column of numbers.
median() {
    cut -d ' ' -f "$1" "$2" | sort -g | sed -n "$(((tries + 1) / 2))p"
}

engines=("$@")
[ $# -gt 0 ] || engines=(afl honggfuzz libafl fork)
for engine in "${engines[@]}"; do
    "build_$engine" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    speed=$("speed_$engine")
    for seed in $(seq "$tries"); do
        start=$EPOCHREALTIME
        executions=$("find_$engine" "$seed") ||
            { echo "$engine did not find the bug in $most seconds" >&2; exit 1; }
        echo "$executions $(echo "$EPOCHREALTIME - $start" | bc)"
    done >"$work/found"
    printf '| %s | %.0f | %s | %.1f |\n' "$engine" "$speed" "$(median 1 "$work/found")" \
        "$(median 2 "$work/found")"
done
