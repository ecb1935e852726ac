"""The decorator of a test."""

import asyncio
import functools
import inspect
import unittest

import pytest

from everysplit.splits import Plan, chunks_of

# What a test that fails raises. The others skip it, or end the run.
FAILURES = (Exception, pytest.fail.Exception)


def every_split(stream, *, edges=(), max_splits=4096, seed=0, cuts=None):
    """Runs a test with every split of a stream, which it gets as a list of chunks.

    The test has an argument `chunks`, and makes a fresh decoder: fixtures are made once. A stream of
    up to 13 bytes has at most 4096 splits, and all are tried. Of a longer one, the test gets all
    splits with few cuts, those at `edges` (offsets at which fields begin), the stream byte by byte,
    and random splits from `seed`, about `max_splits` in all. `cuts` are those of the only split to
    try.

    The first split that fails is reduced to the fewest cuts with which the test still raises the
    same exception. Its chunks are in a note of the exception.
    """
    if isinstance(stream, (bytearray, memoryview)):
        stream = bytes(stream)
    if not stream:
        raise ValueError("the stream is empty")
    if max_splits < 1:
        raise ValueError("max_splits must be at least 1")
    if cuts is not None and (list(cuts) != sorted(set(cuts)) or not all(0 < cut < len(stream) for cut in cuts)):
        raise ValueError(f"cuts must increase from 1 to {len(stream) - 1}")

    def decorate(test):
        call = test
        if inspect.iscoroutinefunction(test):
            # Each split has an event loop of its own.
            def call(*args, **kwargs):
                asyncio.run(test(*args, **kwargs))

        @functools.wraps(test)
        def run(*args, **kwargs):
            def failure_of(split):
                try:
                    call(*args, chunks=chunks_of(stream, split), **kwargs)
                except unittest.SkipTest:
                    raise
                except FAILURES as failure:
                    return failure
                return None

            run.everysplit = None
            plan = Plan(len(stream), edges, max_splits, seed)
            for number, split in enumerate(plan if cuts is None else [tuple(cuts)]):
                failure = failure_of(split)
                if failure is not None:
                    if cuts is None:
                        split, failure = fewest_cuts(stream, plan, split, failure, failure_of)
                    run.everysplit = f"violated, after {number + 1} splits"
                    failure.add_note(described(stream, split))
                    raise failure
            run.everysplit = str(plan) if cuts is None else f"only the split {list(cuts)}"

        # pytest must not look for a fixture of this name.
        signature = inspect.signature(test)
        if "chunks" not in signature.parameters:
            raise TypeError(f"{test.__name__} needs an argument named chunks")
        parameters = [each for each in signature.parameters.values() if each.name != "chunks"]
        run.__signature__ = signature.replace(parameters=parameters)
        return run

    return decorate


def fewest_cuts(stream, plan, split, failure, failure_of):
    """Returns a split with the fewest cuts, and its failure."""

    def fails(shorter):
        nonlocal split, failure
        found = failure_of(shorter)
        if type(found) is not type(failure):
            return False
        split, failure = shorter, found
        return True

    # Splits with as few cuts as these were all tried.
    if len(split) <= plan.max_cuts + 1:
        return split, failure
    size = len(split) // 2
    while size:
        at = 0
        while at < len(split):
            if not fails(split[:at] + split[at + size :]):
                at += size
        size //= 2
    # Fewer cuts may do elsewhere: often a few single bytes are enough.
    for count in range(plan.max_cuts + 1, len(split)):
        if any(fails(tuple(range(at, at + count))) for at in range(1, len(stream) - count + 1)):
            break
    return split, failure


def described(stream, split):
    chunks = " | ".join(map(repr, chunks_of(stream, split)))
    name = f"split at {', '.join(map(str, split))}" if split else "uncut"
    return f"everysplit: {name}: {chunks}\neverysplit: to run only this: cuts={list(split)}"
