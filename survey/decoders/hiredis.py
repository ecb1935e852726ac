import hiredis


def new(config):
    return hiredis.Reader()


def feed(reader, chunk):
    reader.feed(chunk)
    while (reply := reader.gets()) is not False:
        yield repr(reply)


def finish(reader):
    return ()
