"""A driver for a decoder in Python: fill in the three functions, then run

    everysplit exec -- python3 driver.py

The protocol is described in PROTOCOL.md.
"""
import copy
import hashlib
import pickle
import sys


class Decoder:
    """A length of two bytes, then the body. Put your own in its place."""

    def __init__(self, limit):
        self.limit = limit
        self.buffer = b""


def new(config):
    """Returns a fresh decoder; config has what was given with --config, and max for --limit."""
    return Decoder(int(config.get("max", 65535)))


def feed(decoder, chunk):
    """Yields the frames that chunk gives, as bytes or text; raises for an error."""
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
    """Yields what the end of the stream gives; raises for an error."""
    if decoder.buffer:
        raise EOFError
    yield from ()


def main():
    decoder, saved = None, {}
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        answer = "ready"
        if word == "hello":
            answer = "ready 1 states"
        elif word == "new":
            decoder = new(dict(pair.split("=", 1) for pair in rest.split()))
        elif word == "save":
            answer = "ready " + save(decoder, saved)
        elif word == "load":
            decoder = copy.deepcopy(saved[rest])
        elif word in ("feed", "finish"):
            try:
                for frame in feed(decoder, bytes.fromhex(rest)) if word == "feed" else finish(decoder):
                    print("frame", frame.hex() if isinstance(frame, bytes) else frame)
            except Exception as error:
                print("error", type(error).__name__)
        else:
            sys.exit(f"unknown message: {line!r}")
        print(answer, flush=True)


def save(decoder, saved):
    digest = hashlib.sha256(pickle.dumps(decoder)).hexdigest()
    if digest not in saved:
        saved[digest] = copy.deepcopy(decoder)
    return digest


if __name__ == "__main__":
    main()
