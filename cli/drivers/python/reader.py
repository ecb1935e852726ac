"""A driver for a coroutine that reads from an asyncio StreamReader. Replace the function read, then
run

    everysplit exec --framing len16 -- python3 driver.py
"""
import asyncio


async def read(reader, emit, config):
    """Reads frames until the stream ends, and calls emit with each, as bytes or text.

    An exception is an error. config has the entries of --config, and max for --size-limit.
    """
    # Example: a length of two bytes, then the body.
    while not reader.at_eof():
        header = await reader.read(1)
        if not header:
            break
        header += await reader.readexactly(1)
        emit(await reader.readexactly(int.from_bytes(header, "big")))


# ---- Nothing below needs a change. ----

loop = asyncio.new_event_loop()
emitted = []
tasks = []


def new(config):
    # Only the last decoder is used.
    while tasks:
        tasks.pop().cancel()
    settle()
    reader = asyncio.StreamReader(loop=loop, limit=1 << 30)
    task = loop.create_task(read(reader, emitted.append, config))
    tasks.append(task)
    return reader, task


def feed(decoder, chunk):
    reader, task = decoder
    if chunk:
        reader.feed_data(chunk)
    yield from emits(task)
    if task.done():
        raise task.exception() or ConnectionAbortedError


def finish(decoder):
    reader, task = decoder
    reader.feed_eof()
    yield from emits(task)
    if not task.done():
        raise TimeoutError
    if task.exception():
        raise task.exception()


def emits(task):
    emitted.clear()
    settle()
    yield from emitted


def settle():
    """Runs all coroutines until each waits for bytes."""
    loop.call_soon(loop.stop)
    loop.run_forever()
    while loop._ready:
        loop.call_soon(loop.stop)
        loop.run_forever()
