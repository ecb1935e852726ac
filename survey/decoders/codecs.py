import codecs


def new(config):
    return codecs.getincrementaldecoder(config["encoding"])("replace")


def feed(decoder, chunk):
    yield from decoder.decode(chunk)


def finish(decoder):
    yield from decoder.decode(b"", True)
