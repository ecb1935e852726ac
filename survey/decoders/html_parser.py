from html.parser import HTMLParser


class Parser(HTMLParser):
    def __init__(self):
        super().__init__()
        self.frames = []

    def handle_starttag(self, tag, attributes):
        self.frames.append(f"<{tag} {attributes}>")

    def handle_endtag(self, tag):
        self.frames.append(f"</{tag}>")

    def handle_data(self, data):
        # Text may come in pieces.
        self.frames.extend(data)

    def handle_comment(self, comment):
        self.frames.append(f"<!--{comment}-->")


def new(config):
    return Parser()


def feed(parser, chunk):
    parser.feed(chunk.decode("latin-1"))
    yield from parser.frames
    parser.frames.clear()


def finish(parser):
    parser.close()
    yield from parser.frames
    parser.frames.clear()
