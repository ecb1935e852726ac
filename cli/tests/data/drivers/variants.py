"""Decoders of frames with a length of two bytes: a correct one, and some that differ from it. The
driver's argument selects one. The protocol follows from the ready driver."""

import sys

VARIANT = sys.argv[1]


class Decoder:
    def __init__(self, limit):
        self.limit = limit
        self.buffer = b""
        if VARIANT == "no-states":
            self.unsaved = iter(lambda: None, None)


def new(config):
    return Decoder(int(config.get("max", 65535)))


def take(decoder, at_end=False):
    """Returns the next frame, and removes it from the buffer."""
    if len(decoder.buffer) < 2:
        return None
    length = int.from_bytes(decoder.buffer[:2], "big")
    if length + 2 * (VARIANT == "counts-header") > decoder.limit:
        if VARIANT == "goes-on":
            decoder.buffer = decoder.buffer[2:]
        raise ValueError
    if VARIANT == "no-empty-frame" and length == 0:
        raise ValueError
    if len(decoder.buffer) < 2 + length:
        if VARIANT == "removes-length" and length == 2:
            decoder.buffer = decoder.buffer[2:]
        return None
    frame = decoder.buffer[2 : 2 + length]
    decoder.buffer = decoder.buffer[2 + length :]
    return frame.hex().upper() if VARIANT == "upper-case" else frame


def feed(decoder, chunk):
    if VARIANT == "errors-by-chunk" and b"!" in chunk:
        raise (ValueError if len(chunk) == 1 else KeyError)
    decoder.buffer += chunk
    while (frame := take(decoder)) is not None:
        if VARIANT == "pieces" and len(frame) > 1:
            yield Piece(frame[:1])  # noqa: F821
            frame = frame[1:]
        yield frame
        if VARIANT == "one-frame":
            break


def finish(decoder):
    if decoder.buffer and VARIANT != "discards":
        raise EOFError
    yield from ()


if VARIANT.startswith("buffer"):

    def decode(decoder, buffer, at_end):
        decoder.buffer = buffer
        frame = take(decoder)
        consumed = len(buffer) - len(decoder.buffer)
        decoder.buffer = b""
        if at_end and buffer and not consumed:
            raise EOFError
        if VARIANT == "buffer-takes-all" and consumed:
            consumed = len(buffer)
        return frame, consumed
