# Every command that a person may want to run. `just` lists them.

# List the commands.
default:
    @just --list

# Run all tests, with every feature.
test:
    cargo test

# Run one test binary: reference, harness, mutants, cost, formats or command.
test-only binary *filter:
    cargo test --test {{ binary }} -- {{ filter }}

# Run the tests of correct framers on a million random streams. Takes some minutes.
test-million:
    EVERYSPLIT_STREAMS=1000000 cargo test --release --test harness

# Print which splits kill which mutant.
kill-matrix:
    cargo test --test mutants -- --nocapture

# Format the code, and run clippy on the workspace and on the fuzz crate.
lint:
    cargo fmt
    cargo fmt --manifest-path fuzz/Cargo.toml
    cargo clippy --all-targets -- -D warnings
    cargo clippy --manifest-path fuzz/Cargo.toml --all-targets --features measure -- -D warnings

# Build the documentation of the libraries.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace --exclude everysplit-cli --all-features

# Run one fuzz target until it finds a violation. fuzz/README.md lists the targets.
fuzz target="decode":
    cargo fuzz run {{ target }}

# Run one fuzz target without the address sanitizer, several times faster.
fuzz-fast target="decode":
    cargo fuzz run -s none {{ target }}

# Measure the fuzzing mutator and dictionary, and the speed of `decode`. Takes some minutes.
fuzz-measure:
    fuzz/measure.sh

# Measure AFL++, honggfuzz, LibAFL, and libFuzzer with -fork. Takes some minutes.
fuzz-engines *engines:
    fuzz/engines.sh {{ engines }}

# Measure each encoder and decoder with criterion. Takes about two minutes.
bench:
    cargo bench --bench throughput

# Print a table of docs/performance.md: compare, prove, sampled, json_header.
bench-table name="compare":
    cargo bench --bench {{ name }}

# Measure the proxy, beside socat: 10 000 connections with 1 GiB, nothing lost. Takes some minutes.
bench-proxy:
    cargo bench -p everysplit-cli --bench proxy

# Print the table about drivers of docs/performance.md.
bench-drivers:
    cargo bench -p everysplit-cli --bench drivers

# Put published crates, servers and decoders under test, and write docs/survey.md.
survey:
    cargo build -p everysplit-cli
    python3 -m pip install --quiet --target survey/target/packages/python \
        h11==0.16.0 wsproto==1.3.2 hiredis==3.5.0 msgpack==1.2.4 httptools==0.9.0 bjoern==3.2.2
    npm install --silent --no-fund --no-audit --prefix survey/target/packages/node \
        ws@8.23.0 http-parser-js@0.5.10 eventsource-parser@3.1.1
    cargo run --locked --manifest-path survey/Cargo.toml -- --write

# Check the licences, sources and versions of the dependencies. Needs cargo-deny.
deny:
    cargo deny --workspace check bans licenses sources

# Check the proofs of docs/proof. Needs Coq.
proof:
    .ci/proof

# Measure which lines and branches the tests reach. Needs cargo-llvm-cov, cargo-nextest, a nightly
# toolchain and LLVM 22. Takes half an hour.
coverage:
    .ci/coverage

# The same for the fuzz seeds alone.
coverage-seeds:
    .ci/coverage seeds

# List the changes to a package that no test notices: everysplit, everysplit-formats or
# everysplit-cli. Needs cargo-mutants, takes hours; --shard 0/8 is the first of eight parts.
mutants package="everysplit" *arguments:
    {{ if package == "everysplit-cli" { "" } else { "ulimit -v 8000000 &&" } }} \
        cargo mutants --package {{ package }} {{ arguments }}

# Check that the crates can be published.
publish-dry-run:
    cargo publish --workspace --dry-run

# List what breaks in the library's API since a revision. Needs cargo-semver-checks.
semver revision:
    cargo semver-checks --package everysplit --baseline-rev {{ revision }} --release-type minor

# Run everything that a change must pass.
ci:
    .ci/run
