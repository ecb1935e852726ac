"""A driver for a decoder in Python. Replace the decoder and the three functions, then run

    everysplit exec --framing len16 -- python3 driver.py

PROTOCOL.md describes the protocol.
"""
import copy
import hashlib
import pickle
import sys


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


def main():
    # The decoder and its first error. After an error, the decoder is no longer used.
    state, saved = None, {}
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        reply = "ready"
        if word == "hello":
            reply = "ready 1 states"
        elif word == "new":
            state = [new(dict(pair.split("=", 1) for pair in rest.split())), None]
        elif word == "save":
            reply = "ready " + save(state, saved)
        elif word == "load":
            state = copy.deepcopy(saved[rest])
        elif word in ("feed", "finish"):
            decoder, failed = state
            try:
                if not failed:
                    for frame in feed(decoder, bytes.fromhex(rest)) if word == "feed" else finish(decoder):
                        print("frame", frame.hex() if isinstance(frame, bytes) else frame)
            except Exception as error:
                state[1] = failed = type(error).__name__
            if failed:
                print("error", failed)
        else:
            sys.exit(f"unknown request: {line!r}")
        print(reply, flush=True)


def save(state, saved):
    digest = hashlib.sha256(pickle.dumps(state)).hexdigest()
    if digest not in saved:
        saved[digest] = copy.deepcopy(state)
    return digest


if __name__ == "__main__":
    main()
