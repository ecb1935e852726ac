#!/usr/bin/env python3
"""A peer on loopback TCP that implements the formats with CPython's struct and json.

It is an independent oracle and imports nothing from the project. formats/tests/formats/cpython.rs
runs it:

    python3 peer.py FORMAT ORDER PORT SEED say     sends random messages in random splits,
                                                   then prints them, one per line
    python3 peer.py FORMAT ORDER PORT SEED echo    reads messages to the end of the stream,
                                                   sends each back, and prints them

ORDER is "little" or "big". A message is a tuple: integers or a header, then the body. Its line is
the integers in decimal, or the header in hex as compact JSON with sorted keys, then the body in
hex. A new format is a class with random, write and read, and its name in FORMATS.
"""
import hashlib
import json
import random
import socket
import struct
import sys
import time

MESSAGES = 60


class Header12:
    """bodySize, cmd, recv (3 x u32), body."""

    def __init__(self, order):
        self.pack = {"little": "<3I", "big": "!3I"}[order]

    def random(self):
        return random.getrandbits(32), random.getrandbits(32), random_body()

    def write(self, message):
        cmd, recv, body = message
        return struct.pack(self.pack, len(body), cmd, recv) + body

    def read(self, stream):
        size, cmd, recv = struct.unpack(self.pack, exactly(stream, 12))
        return cmd, recv, exactly(stream, size)


class Len32:
    """Signed 32-bit length, body (struct 'i')."""

    def __init__(self, order):
        self.pack = {"little": "<i", "big": "!i"}[order]

    def random(self):
        return (random_body(),)

    def write(self, message):
        (body,) = message
        return struct.pack(self.pack, len(body)) + body

    def read(self, stream):
        (size,) = struct.unpack(self.pack, exactly(stream, 4))
        return (exactly(stream, size),)


class JsonHeader:
    """Signed 32-bit length, JSON header with the body's size and md5, body."""

    def __init__(self, order):
        self.pack = {"little": "<i", "big": "!i"}[order]

    def random(self):
        body = random_body()
        key = random.choice(["total_size", "data_size", "filesize", "file_size"])
        header = {"filename": random.choice(["a.txt", "大.bin", '"quoted"\\\n']),
                  key: len(body), "md5": hashlib.md5(body).hexdigest(),
                  "tags": [None, True, random.getrandbits(63), {"size": -1}]}
        return header, body

    def write(self, message):
        header, body = message
        # Half of them with ASCII escapes, the default of json.dumps.
        header = json.dumps(header, ensure_ascii=random.random() < 0.5).encode()
        return struct.pack(self.pack, len(header)) + header + body

    def read(self, stream):
        (length,) = struct.unpack(self.pack, exactly(stream, 4))
        header = json.loads(exactly(stream, length))
        (size,) = (header[key] for key in header if key.endswith("size"))
        return header, exactly(stream, size)


FORMATS = {"header12": Header12, "len32": Len32, "json_header": JsonHeader}


def random_body():
    most = random.choice([0, 1, 20, 300, 40000])
    return random.randbytes(random.randint(0, most))


def exactly(stream, size):
    """Reads size bytes. Raises EOFError if the stream ends before."""
    read = stream.read(size)
    if len(read) != size:
        raise EOFError(f"{len(read)} of {size} bytes")
    return read


def send_split(connection, data):
    """Sends data in random chunks. Sometimes waits, so that the kernel does not join two chunks."""
    while data:
        most = random.choice([1, 5, 1000, 100000])
        chunk, data = data[:most], data[most:]
        connection.sendall(chunk)
        if random.random() < 0.1:
            time.sleep(0.001)


def print_line(message):
    *rest, body = message
    print(*map(compact, rest), body.hex())


def compact(value):
    """Returns an integer unchanged, and a header as compact JSON in hex."""
    if isinstance(value, int):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode().hex()


def main():
    name, order, port, seed, mode = sys.argv[1:]
    wire = FORMATS[name](order)
    random.seed(int(seed))
    with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        messages = []
        if mode == "say":
            messages = [wire.random() for _ in range(MESSAGES)]
            send_split(connection, b"".join(map(wire.write, messages)))
        else:
            with connection.makefile("rb") as stream:
                while stream.peek(1):
                    messages.append(wire.read(stream))
                    send_split(connection, wire.write(messages[-1]))
    for message in messages:
        print_line(message)


main()
