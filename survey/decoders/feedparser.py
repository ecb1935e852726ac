from email.feedparser import BytesFeedParser


def new(config):
    return BytesFeedParser()


def feed(parser, chunk):
    parser.feed(chunk)
    return ()


def finish(parser):
    yield bytes(parser.close())
