"""The splits of a stream: each is a tuple of cuts, the offsets at which a chunk ends."""

import random
from itertools import chain, combinations
from math import comb


def chunks_of(stream, cuts):
    """Returns the chunks of a stream that is cut at these offsets."""
    ends = [0, *cuts, len(stream)]
    return [stream[begin:end] for begin, end in zip(ends, ends[1:])]


class Plan:
    """The splits to try, those with the fewest cuts first, and what they cover."""

    def __init__(self, length, edges, max_splits, seed):
        places = max(length - 1, 0)
        self.length = length
        # All splits with up to this number of cuts are tried.
        self.max_cuts, total = 0, 1
        while self.max_cuts < places and total + comb(places, self.max_cuts + 1) <= max_splits:
            self.max_cuts += 1
            total += comb(places, self.max_cuts)
        self.is_complete = self.max_cuts == places
        self.edges = sorted({edge for edge in edges if 0 < edge < length})
        self.samples = 0 if self.is_complete else max_splits - total
        self.seed = seed

    def __iter__(self):
        offsets, counts = range(1, self.length), range(self.max_cuts + 1)
        few = chain.from_iterable(combinations(offsets, count) for count in counts)
        return few if self.is_complete else chain(few, self.others())

    def others(self):
        """Yields splits with more cuts: at edges and beside them, then byte by byte, then random."""
        near = {edge + beside for edge in self.edges for beside in (-1, 0, 1)}
        near = sorted(cut for cut in near if 0 < cut < self.length)
        for count in (2, 3):
            if self.max_cuts < count and comb(len(near), count) <= max(self.samples, 1):
                yield from combinations(near, count)
        if self.edges:
            yield tuple(self.edges)
        offsets = range(1, self.length)
        yield tuple(offsets)
        choose = random.Random(self.seed)
        fewest = self.max_cuts + 1
        for _ in range(self.samples):
            # Two to four chunks are as likely as twenty to forty.
            count = fewest * (len(offsets) / fewest) ** choose.random()
            yield tuple(sorted(choose.sample(offsets, int(count))))

    def __str__(self):
        if self.is_complete:
            return f"all {2 ** max(self.length - 1, 0)} splits of {self.length} bytes"
        few = f"all splits of {self.length} bytes with up to {self.max_cuts} cut{'s' * (self.max_cuts != 1)}"
        edges = ", splits at edges" if self.edges else ""
        return f"{few}{edges}, byte by byte, {self.samples} random splits from seed {self.seed}"
