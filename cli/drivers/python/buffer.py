"""A driver for a decoder in Python whose caller owns the buffer. Replace the two functions, then
run

    everysplit exec --framing len16 -- python3 driver.py
"""


def new(config):
    """Returns a fresh decoder. config has the entries of --config, and max for --size-limit."""
    return int(config.get("max", 65535))


def decode(limit, buffer, at_end):
    """Returns the next frame, as bytes or text, and how many bytes of the buffer it takes.

    Returns (None, 0) if more bytes are needed. Raises an exception for an error. at_end is true
    if no more bytes will come.
    """
    # Example: a length of two bytes, then the body.
    end = 2 + int.from_bytes(buffer[:2], "big")
    if len(buffer) >= 2 and end - 2 > limit:
        raise ValueError
    if len(buffer) >= 2 and len(buffer) >= end:
        return buffer[2:end], end
    if at_end and buffer:
        raise EOFError
    return None, 0
