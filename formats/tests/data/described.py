#!/usr/bin/env python3
"""Parses the formats that have settings with CPython alone: int.from_bytes, bytes.find and re.

It is an independent oracle and imports nothing from the project.

    python3 described.py > described.json     prints golden vectors, the same on every run
    python3 described.py check < VECTORS      compares what `everysplit vectors` prints

A format is described as for the option --framing, such as "length:offset=2,width=2,adjust=-2".
Every vector has
  framing   the description of the format
  order     the byte order of the length field, "little" or "big"; null if the format has none
  max       the size limit of a message, in bytes; null for none
  stream    the bytes on the wire, in hex
  frames    the expected messages, in hex as "body"; "end" is the offset at which each is complete
  outcome   "clean", "truncated", or "rejected" as soon as the first "at" bytes have arrived
"""
import json
import re
import sys

DELIMITERS = {"lf": b"\n", "crlf": b"\r\n", "nul": b"\0"}


class Truncated(Exception):
    """The stream ends inside a frame."""


class Rejected(Exception):
    """The argument is the number of bytes of the frame that decide it."""


def length(rest, settings, order, limit):
    """Returns the message at the front of rest, and the size of its frame."""
    offset, width = int(settings.get("offset", 0)), int(settings.get("width", 4))
    strip = int(settings.get("strip", offset + width))
    header = offset + width
    if len(rest) < header:
        raise Truncated
    claimed = int.from_bytes(rest[offset:header], order, signed="signed" in settings)
    size = header + claimed + int(settings.get("adjust", 0))
    if claimed < 0 or size < max(header, strip) or size - strip > limit:
        raise Rejected(header)
    if len(rest) < size:
        raise Truncated
    return rest[strip:size], size


def varint(rest, settings, order, limit):
    bits = int(settings.get("bits", 64))
    value = 0
    for index, byte in enumerate(rest):
        value += (byte % 128) * 128 ** index
        if value >= 2 ** bits or index + 1 == -(-bits // 7) and byte >= 128:
            raise Rejected(index + 1)
        if byte < 128:
            break
    else:
        raise Truncated
    if value > limit:
        raise Rejected(index + 1)
    body = rest[index + 1:][:value]
    if len(body) < value:
        raise Truncated
    return body, index + 1 + value


def delimiter(rest, settings, order, limit):
    (mark,) = (DELIMITERS.get(name) or bytes.fromhex(name) for name in settings)
    at = rest.find(mark)
    if 0 <= at <= limit:
        return rest[:at], at + len(mark)
    for end in range(len(rest) + 1):
        # Whether some further bytes can put a delimiter at the limit or before it.
        if end > limit and not any(mark.startswith(rest[at:end]) for at in range(limit + 1)):
            raise Rejected(end)
    raise Truncated


def netstring(rest, settings, order, limit):
    digits = re.match(rb"0|[1-9][0-9]*|", rest).group()
    for end in range(1, len(digits) + 1):
        if int(digits[:end]) > limit:
            raise Rejected(end)
    header = len(digits) + 1
    if digits and len(rest) < header:
        raise Truncated
    if not digits or rest[header - 1:header] != b":":
        raise Rejected(header)
    comma = header + int(digits)
    if len(rest) <= comma:
        raise Truncated
    if rest[comma:comma + 1] != b",":
        raise Rejected(comma + 1)
    return rest[header:comma], comma + 1


FORMATS = {"length": length, "varint": varint, "delimiter": delimiter, "netstring": netstring}


def parse(framing, order, limit, stream):
    """Returns the frames, the outcome and, if it is rejected, at which byte."""
    name, _, settings = framing.partition(":")
    pairs = (setting.partition("=") for setting in settings.split(",") if setting)
    settings = {key: value for key, _, value in pairs}
    limit = 2 ** 64 - 1 if limit is None else limit
    frames, start = [], 0
    while start < len(stream):
        try:
            body, size = FORMATS[name](stream[start:], settings, order, limit)
        except Truncated:
            return frames, "truncated", None
        except Rejected as rejected:
            return frames, "rejected", start + rejected.args[0]
        start += size
        frames.append(dict(body=body.hex(), end=start))
    return frames, "clean", None


def vector(framing, order, limit, stream):
    frames, outcome, at = parse(framing, order, limit, stream)
    result = dict(framing=framing, order=order, max=limit, stream=stream.hex(), frames=frames, outcome=outcome)
    return result if at is None else dict(result, at=at)


def generate():
    """Yields a vector for each format, and for valid, truncated and invalid streams."""
    limit = 20
    for framing in (
            "length:width=1", "length:width=2", "length:width=3", "length:width=4", "length:width=8",
            "length:width=4,signed", "length:width=1,signed", "length:width=2,strip=0",
            "length:offset=2,width=2", "length:offset=2,width=2,adjust=-4", "length:width=2,adjust=-2,strip=0",
            "length:offset=1,width=3,adjust=2,strip=5", "length:width=3,adjust=2,strip=0",
            "length:offset=2,width=2,signed,adjust=-1,strip=7"):
        numbers = dict(re.findall(r"(\w+)=(-?\d+)", framing))
        offset, width = int(numbers.get("offset", 0)), int(numbers["width"])
        adjust, signed = int(numbers.get("adjust", 0)), "signed" in framing
        for order in ("little", "big"):
            def frame(after, head=b"\xca\xfe\xca\xfe"[:offset]):
                return head + (len(after) - adjust).to_bytes(width, order, signed=signed) + after
            def header(number):
                return b"\xca\xfe\xca\xfe"[:offset] + (number % 256 ** width).to_bytes(width, order)
            bodies = frame(b"hello") + frame(b"\0" * 3) + frame(b"\xff\x00\x05world")
            yield from streams(framing, order, limit, bodies, frame(b"abcde"))
            largest = 256 ** width // (2 if signed else 1) - 1
            for number in sorted({0, 1, limit, limit + 1, limit + 8, largest, largest + 1, -1 % 256 ** width}):
                yield vector(framing, order, limit, header(number))
                yield vector(framing, order, limit, frame(b"abc") + header(number) + b"x" * 30)
    for framing in ("varint", "varint:bits=32"):
        def frame(body, size=None):
            size, length = len(body) if size is None else size, []
            while size >= 128:
                length, size = length + [size % 128 + 128], size // 128
            return bytes(length + [size]) + body
        yield from streams(framing, None, limit, frame(b"hello") + frame(b"") + frame(b"\x80\x05"), frame(b"abc"))
        yield from streams(framing, None, 130, frame(b"\x80" * 128) + frame(b"a" * 130), frame(b"b"))
        for size in (131, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 35 - 1, 2 ** 63, 2 ** 64 - 1, 2 ** 64, 2 ** 70 - 1):
            yield vector(framing, None, 130, frame(b"a") + frame(b"", size) + b"x" * 3)
            yield vector(framing, None, None, frame(b"a") + frame(b"", size) + b"x" * 3)
        # More bytes than needed, up to as many as there may be, and one more.
        for count in (1, 3, 4, 8, 9, 10, 11):
            yield vector(framing, None, limit, b"\x81" + b"\x80" * (count - 1) + b"\0" + b"a" * 3)
    for framing, mark in (("delimiter:lf", b"\n"), ("delimiter:crlf", b"\r\n"), ("delimiter:nul", b"\0"),
                          ("delimiter:0d0d0a", b"\r\r\n"), ("delimiter:2d2d", b"--")):
        bodies = (b"hello", b"", b"a\r" + mark[:-1] + b"b", b"x" * limit)
        yield from streams(framing, None, limit, mark.join(bodies) + mark, b"abc" + mark)
        for last in (b"x", mark[:-1] + b"x", mark[:1] + mark, mark[:-1] + mark):
            yield vector(framing, None, limit, b"ab" + mark + b"x" * limit + last + b"yy" + mark)
        yield vector(framing, None, 0, mark + mark + mark[:-1] + b"xyz")
        yield vector(framing, None, None, b"x" * 100 + mark[:-1])
    yield from streams("netstring", None, limit, b"5:hello,0:,3:,,,,20:" + b"x" * 20 + b",", b"3:abc,")
    for stream in (b"21:", b"20:", b"200:", b"00:,", b"01:a,", b":,", b"-1:", b"+1:a,", b" 1:a,", b"1 :a,", b"1:ab",
                   b"1a:", b"1,a", b"0:", b"0;", b"0::", b"99999999999999999999999:", b"18446744073709551616:"):
        yield vector("netstring", None, limit, b"1:a," + stream + b"zz")
        yield vector("netstring", None, None, stream)


def streams(framing, order, limit, bodies, last):
    """Yields coalesced frames, and a last one truncated at each byte."""
    for end in range(len(last) + 1):
        yield vector(framing, order, limit, bodies + last[:end])


def main():
    if sys.argv[1:] == ["check"]:
        vectors = json.load(sys.stdin)
        for given in vectors:
            stream = bytes.fromhex(given["stream"])
            expected = vector(given["framing"], given["order"], given["max"], stream)
            assert expected == {key: given[key] for key in expected}, (given, expected)
            assert given.get("at") == expected.get("at"), given
        print(len(vectors))
    else:
        print("[" + ",\n".join(map(json.dumps, generate())) + "]")


main()
