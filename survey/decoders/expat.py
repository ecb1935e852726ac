from xml.parsers import expat


def new(config):
    parser, frames = expat.ParserCreate(), []
    parser.StartElementHandler = lambda name, attributes: frames.append(f"<{name} {attributes}>")
    parser.EndElementHandler = lambda name: frames.append(f"</{name}>")
    # Text may come in pieces.
    parser.CharacterDataHandler = frames.extend
    return parser, frames


def feed(decoder, chunk):
    parser, frames = decoder
    parser.Parse(chunk)
    yield from frames
    frames.clear()


def finish(decoder):
    parser, frames = decoder
    parser.Parse(b"", True)
    yield from frames
