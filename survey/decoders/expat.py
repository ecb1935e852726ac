from xml.parsers import expat


def new(config):
    parser, frames = expat.ParserCreate(), []
    parser.StartElementHandler = lambda name, attributes: frames.append(f"<{name} {attributes}>")
    parser.EndElementHandler = lambda name: frames.append(f"</{name}>")
    # Text may come in pieces.
    parser.CharacterDataHandler = frames.extend
    return {"parser": parser, "frames": frames}


def feed(decoder, chunk):
    decoder["parser"].Parse(chunk)
    yield from decoder["frames"]
    decoder["frames"].clear()


def finish(decoder):
    # A parser must not be ended twice.
    if "ended" not in decoder:
        decoder["ended"] = True
        decoder["parser"].Parse(b"", True)
    yield from decoder["frames"]
    decoder["frames"].clear()
