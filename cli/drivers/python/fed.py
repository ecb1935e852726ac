"""A driver for a decoder in Python that is fed. Replace the decoder and the three functions, then
run

    everysplit exec --framing len16 -- python3 driver.py
"""


class Decoder:
    """Example: a length of two bytes, then the body."""

    def __init__(self, limit):
        self.limit = limit
        self.buffer = b""


def new(config):
    """Returns a fresh decoder. config has the entries of --config, and max for --size-limit."""
    return Decoder(int(config.get("max", 65535)))


def feed(decoder, chunk):
    """Yields the frames of a chunk, as bytes or text. Raises an exception for an error."""
    decoder.buffer += chunk
    while len(decoder.buffer) >= 2:
        end = 2 + int.from_bytes(decoder.buffer[:2], "big")
        if end - 2 > decoder.limit:
            raise ValueError
        if len(decoder.buffer) < end:
            break
        yield decoder.buffer[2:end]
        decoder.buffer = decoder.buffer[end:]


def finish(decoder):
    """Yields the frames at the end of the stream. Raises an exception for an error."""
    if decoder.buffer:
        raise EOFError
    yield from ()
