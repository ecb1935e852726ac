"""The decorator and the strategies, on a correct decoder and on planted bugs."""

import everysplit.strategies  # noqa: F401  Imported once, and not by each run.
import pytest

DECODERS = """
class Decoder:
    # A length of two bytes, then the body.
    def __init__(self):
        self.buffer = b""

    def feed(self, chunk):
        self.buffer += chunk
        while len(self.buffer) >= 2:
            end = 2 + int.from_bytes(self.buffer[:2], "big")
            if len(self.buffer) < end:
                break
            yield self.buffer[2:end]
            self.buffer = self.buffer[end:]


class Consumes(Decoder):
    # Removes the length before the body is complete.
    def feed(self, chunk):
        yield from super().feed(chunk)
        if len(self.buffer) >= 2:
            self.buffer = self.buffer[2:]


class Forgets(Decoder):
    # Takes each chunk for whole frames.
    def feed(self, chunk):
        self.buffer = b""
        yield from super().feed(chunk)


class Overflows(Decoder):
    # Has room for three incomplete chunks.
    held = 0

    def feed(self, chunk):
        frames = list(super().feed(chunk))
        self.held = 0 if frames or not self.buffer else self.held + 1
        if self.held > 3:
            raise OverflowError
        yield from frames


def decode(decoder, chunks):
    return [frame for chunk in chunks for frame in decoder.feed(chunk)]


def encode(body):
    return len(body).to_bytes(2, "big") + body
"""

QUICK = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
LONG = "encode(b'a' * 40) + encode(b'b' * 40)"


@pytest.fixture
def run(pytester):
    """Runs a test of a decoder."""

    def run_test(decoder, stream="encode(b'ok')", arguments="", body="", options=(), test="def test(chunks):"):
        body = body or f"frames = decode({decoder}(), chunks); assert frames == decode(Decoder(), [{stream}])"
        pytester.makepyfile(
            f"{DECODERS}\nfrom everysplit import every_split\n\n"
            f"@every_split({stream}{arguments})\n{test}\n    {body}\n"
        )
        return pytester.runpytest_inprocess(*QUICK, *options)

    return run_test


def test_a_correct_decoder_passes_with_all_splits(run):
    result = run("Decoder", "encode(b'ok') + encode(b'')")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*py::test: all 32 splits of 6 bytes"])


def test_every_split_of_a_short_stream_is_tried_once(run):
    result = run(
        "",
        "b'abcd'",
        body="seen.add(tuple(chunks)); assert b''.join(chunks) == b'abcd'\n\n"
        "seen = set()\n\ndef test_all():\n    assert len(seen) == 8 and all(all(chunks) for chunks in seen)",
    )
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("decoder", "note"),
    [
        ("Consumes", r"everysplit: split at 2: b'\x00\x02' | b'ok'"),
        ("Forgets", r"everysplit: split at 1: b'\x00' | b'\x02ok'"),
    ],
)
def test_a_bug_is_shown_with_the_fewest_cuts(run, decoder, note):
    result = run(decoder)
    result.assert_outcomes(failed=1)
    assert note in result.stdout.str()
    result.stdout.fnmatch_lines(["*test: violated, after * splits"])


def test_a_failure_of_an_uncut_stream_is_named(run):
    result = run("", body="assert not chunks")
    result.assert_outcomes(failed=1)
    assert r"everysplit: uncut: b'\x00\x02ok'" in result.stdout.str()


def test_a_long_stream_is_sampled_and_says_so(run):
    result = run("Decoder", LONG, ", max_splits=500, edges=[2, 42, 44], seed=7")
    result.assert_outcomes(passed=1)
    tried = "all splits of 84 bytes with up to 1 cut, splits at edges, byte by byte, 416 random splits from seed 7"
    result.stdout.fnmatch_lines([f"*test: {tried}"])


def test_many_cuts_are_reduced(run):
    # Only random splits and single bytes have so many cuts.
    result = run("Overflows", LONG, ", max_splits=200")
    result.assert_outcomes(failed=1)
    note = next(line for line in result.stdout.str().splitlines() if "to run only this" in line)
    assert note.count(",") == 3, note
    cuts = note.rpartition("=")[2]
    again = run("Overflows", LONG, f", cuts={cuts}")
    again.assert_outcomes(failed=1)
    run("Decoder", LONG, f", cuts={cuts}").assert_outcomes(passed=1)


def test_a_seed_gives_the_same_splits(run):
    def splits(seed):
        body = "print('cut into', *map(len, chunks))"
        result = run("", "bytes(30)", f", max_splits=60, seed={seed}", body, options=["-s"])
        lines = (line.rpartition("cut into ")[2] for line in result.stdout.lines)
        return [line for line in lines if line and line.replace(" ", "").isdigit()]

    assert splits(3) == splits(3) != splits(4)
    assert len(splits(3)) == 61


def test_fixtures_parameters_methods_and_coroutines(run):
    mark = "__import__('pytest').mark.parametrize('times', [1, 2])"
    result = run("Decoder", test=f"@{mark}\ndef test(tmp_path, chunks, times):")
    result.assert_outcomes(passed=2)
    run("Decoder", test="async def test(chunks):").assert_outcomes(passed=1)
    run("Consumes", test="async def test(chunks):").assert_outcomes(failed=1)


def test_a_skipped_test_is_no_failure(run):
    run("", body="__import__('pytest').skip()").assert_outcomes(skipped=1)
    run("", body="raise __import__('unittest').SkipTest").assert_outcomes(skipped=1)


def test_wrong_arguments_are_errors(run):
    run("", "b''").assert_outcomes(errors=1)
    run("", arguments=", cuts=[9]").assert_outcomes(errors=1)
    run("", arguments=", max_splits=0").assert_outcomes(errors=1)
    run("", test="def test():").assert_outcomes(errors=1)


@pytest.mark.parametrize(
    ("decoder", "falsified"),
    [
        ("Decoder", None),
        ("Consumes", r"case=([b'\x00'], [b'\x00\x01', b'\x00'])"),
        ("Forgets", r"case=([b''], [b'\x00', b'\x00'])"),
    ],
)
def test_hypothesis_shrinks_to_the_fewest_cuts(pytester, decoder, falsified):
    pytester.makepyfile(
        f"""{DECODERS}
from hypothesis import Phase, given, settings, strategies as st
from everysplit.strategies import messages_in_chunks

@settings(database=None, derandomize=True, deadline=None, max_examples=50, phases=[Phase.generate, Phase.shrink])
@given(messages_in_chunks(st.lists(st.binary(max_size=9), max_size=3), encode))
def test(case):
    messages, chunks = case
    assert decode({decoder}(), chunks) == messages
"""
    )
    result = pytester.runpytest_inprocess(*QUICK)
    if falsified is None:
        result.assert_outcomes(passed=1)
    else:
        result.assert_outcomes(failed=1)
        assert falsified in result.stdout.str()
