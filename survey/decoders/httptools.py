import httptools


class Handler:
    def __init__(self):
        self.frames = []

    def on_url(self, url):
        self.frames.append(Piece(url))

    def on_header(self, name, value):
        self.frames.append(Piece(name + value))

    def on_body(self, body):
        self.frames.append(Piece(body))

    def on_message_complete(self):
        self.frames.append(b"")


def new(config):
    handler = Handler()
    return handler, httptools.HttpRequestParser(handler)


def feed(decoder, chunk):
    handler, parser = decoder
    parser.feed_data(chunk)
    yield from handler.frames
    handler.frames.clear()


def finish(decoder):
    return ()
