#!/usr/bin/env bash
# Builds every fuzz target into $OUT, each with its seeds, its dictionary and its options, as OSS-Fuzz
# and ClusterFuzzLite look for them. The repository is in $SRC/everysplit.
set -euo pipefail
cd "$SRC/everysplit"

cargo fuzz build
built=fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release

for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "$built/$target" "$OUT/$target"
    printf '[libfuzzer]\nmax_len = 4096\n' >"$OUT/$target.options"
    case $target in
        # It takes the same inputs as `decode`.
        one_line) seeds=decode ;;
        *) seeds=$target ;;
    esac
    zip --quiet --junk-paths "$OUT/${target}_seed_corpus.zip" "fuzz/corpus/$seeds"/*
    case $target in
        decode | differential | one_line | auth | json_header)
            cp fuzz/header12.dict "$OUT/$target.dict"
            ;;
    esac
done
