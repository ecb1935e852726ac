"""A driver for an asyncio Protocol. Replace the class and the function connect, then run

    everysplit exec --framing len16 -- python3 driver.py
"""
import asyncio


class Example(asyncio.Protocol):
    """Example: a length of two bytes, then the body."""

    def __init__(self, emit):
        self.emit = emit
        self.buffer = b""

    def data_received(self, data):
        self.buffer += data
        while len(self.buffer) >= 2:
            end = 2 + int.from_bytes(self.buffer[:2], "big")
            if len(self.buffer) < end:
                break
            self.emit(self.buffer[2:end])
            self.buffer = self.buffer[end:]

    def eof_received(self):
        if self.buffer:
            raise EOFError


def connect(config, emit):
    """Returns a fresh protocol, which calls emit with each frame, as bytes or text.

    An exception is an error, and so is a call of transport.close() or abort(). config has the
    entries of --config, and max for --size-limit.
    """
    return Example(emit)


# ---- Nothing below needs a change. ----

class Transport(asyncio.Transport):
    """A transport without a socket."""

    def __init__(self):
        super().__init__()
        self.closed = False

    def close(self):
        self.closed = True

    abort = close

    def is_closing(self):
        return self.closed

    def write(self, data):
        pass

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


emitted = []


def emit(frame):
    emitted.append(frame)


def new(config):
    protocol, transport = connect(config, emit), Transport()
    protocol.connection_made(transport)
    return protocol, transport


def feed(decoder, chunk):
    protocol, transport = decoder
    yield from emits(transport, lambda: protocol.data_received(chunk))


def finish(decoder):
    protocol, transport = decoder
    yield from emits(transport, protocol.eof_received)


def emits(transport, call):
    emitted.clear()
    try:
        call()
    finally:
        yield from emitted
    if transport.closed:
        raise ConnectionAbortedError
