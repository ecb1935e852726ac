import msgpack


def new(config):
    return msgpack.Unpacker()


def feed(unpacker, chunk):
    unpacker.feed(chunk)
    yield from map(repr, unpacker)


def finish(unpacker):
    return ()
