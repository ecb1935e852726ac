"""Strategies of Hypothesis that draw messages and cuts."""

from hypothesis import strategies as st

from everysplit.splits import chunks_of


@st.composite
def chunks(draw, stream):
    """Draws the chunks of a stream. Shrinks to the fewest cuts, and to early ones."""
    if len(stream) < 2:
        return chunks_of(stream, ())
    count = draw(st.integers(0, len(stream) - 1))
    offsets = st.sampled_from(range(1, len(stream)))
    cuts = st.lists(offsets, min_size=count, max_size=count, unique=True)
    return chunks_of(stream, sorted(draw(cuts)))


@st.composite
def messages_in_chunks(draw, messages, encode):
    """Draws a pair: messages, from a strategy of lists, and their encoded stream in chunks.

    Shrinks to few and short messages, and to the fewest cuts.
    """
    drawn = draw(messages)
    return drawn, draw(chunks(b"".join(map(encode, drawn))))
