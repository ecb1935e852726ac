

# ---- The protocol, version 2. "everysplit protocol" describes it. Nothing below needs a change. ----

import io  # noqa: E402
import pickle  # noqa: E402
import sys  # noqa: E402
import types  # noqa: E402


class Piece:
    """A part of a frame, to be yielded before the rest of it."""

    def __init__(self, content):
        self.content = content


class Pickler(pickle.Pickler):
    """Keeps functions and modules as they are, as copy.deepcopy does."""

    kept = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType)

    def reducer_override(self, value):
        if isinstance(value, self.kept) and getattr(value, "__self__", None) is None:
            objects[id(value)] = value
            return objects.__getitem__, (id(value),)
        return NotImplemented


def dumps(value):
    file = io.BytesIO()
    Pickler(file, 5).dump(value)
    return file.getvalue()


objects = {}
replies = sys.stdout
# The states of saved decoders, and the index of each.
saved, indices = [], {}
save_bytes = None
# The decoder's class, if its objects consist of their attributes alone.
plain_class = None
# Values of these types do not change, and are the same if they are equal.
CONSTANTS = {bytes, str, int, bool, type(None)}
# What classes define whose objects are copied in a way of their own.
CUSTOM = {"__slots__", "__new__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__"}
resynchronises = False
is_buffered = "decode" in globals()


def ways_to_save(fresh):
    """Returns the function that can save a decoder, if there is one."""
    for way in (lambda value: pickle.dumps(value, 5), dumps):
        try:
            first = way(fresh)
            if way(pickle.loads(first)) == first:
                return way
        except Exception:
            pass
    return None


def is_plain(kind):
    return not any(CUSTOM & vars(base).keys() for base in kind.__mro__[:-1])


def freeze(run):
    """Returns the state of a decoder: its attributes if they are constants, which is quicker, or its bytes."""
    decoder, failed = run
    if type(decoder) is plain_class:
        fields = decoder.__dict__
        kinds = tuple(map(type, fields.values()))
        if CONSTANTS.issuperset(kinds):
            return kinds, tuple(fields.items())
    return save_bytes(run)


def thaw(state):
    """Returns a decoder in a state."""
    if type(state) is bytes:
        return pickle.loads(state)
    decoder = object.__new__(plain_class)
    decoder.__dict__.update(state[1])
    return [decoder, None]


def save(run):
    """Returns the name of the decoder's state, with a space before it; nothing if it cannot be saved."""
    if save_bytes is None:
        return ""
    try:
        state = freeze(run)
    except Exception:
        return ""
    index = indices.setdefault(state, len(saved))
    if index == len(saved):
        saved.append(state)
    return f" {index}"


def text(frame):
    if isinstance(frame, (bytes, bytearray, memoryview)):
        return frame.hex()
    return str(frame).replace("\r", "\\r").replace("\n", "\\n")


def line(frame):
    if isinstance(frame, Piece):
        return "piece " + text(frame.content)
    return "frame " + text(frame)


def write(out):
    if out:
        replies.write("\n".join(out) + "\n")
        replies.flush()
        out.clear()


def decode_once(decoder, data, at_end, consumed):
    frame, count = decode(decoder, data, at_end)  # noqa: F821
    consumed.append(count)
    if frame is not None:
        yield frame


def call(run, data, at_end, out):
    """Calls the decoder. Appends all lines of the reply but for the state."""
    decoder, failed = run
    consumed = []
    if not failed:
        try:
            if is_buffered:
                frames = decode_once(decoder, data, at_end, consumed)
            else:
                frames = finish(decoder) if at_end else feed(decoder, data)
            for frame in frames or ():
                out.append("frame " + frame.hex() if type(frame) is bytes else line(frame))
                if len(out) >= 1000:
                    write(out)
        except Exception as error:
            if resynchronises and not at_end:
                out.append("reject " + type(error).__name__)
            else:
                # After an error, the decoder is no longer used.
                run[:] = None, type(error).__name__
                failed = run[1]
    if failed:
        out.append("error " + failed)
    out.append(f"ready {consumed[0] if consumed else 0}" if is_buffered else "ready")


def main():
    global save_bytes, plain_class, resynchronises
    sys.stdout = sys.stderr  # What a decoder prints is no reply.
    run = None
    for request in sys.stdin:
        word, _, rest = request.rstrip("\n").partition(" ")
        out = []
        if word == "hello":
            out.append("ready 2 buffer" if is_buffered else "ready 2")
        elif word == "new":
            config = dict(pair.split("=", 1) for pair in rest.split())
            resynchronises = "resynchronises" in config
            run = [new(config), None]
            if not saved:
                save_bytes = ways_to_save(run)
                plain_class = type(run[0]) if is_plain(type(run[0])) else None
            out.append("ready" + save(run))
        elif word in ("feed", "decode", "finish"):
            call(run, bytes.fromhex(rest), word == "finish", out)
        elif word == "row":
            state, _, rest = rest.partition(" ")
            data, state = bytes.fromhex(rest), saved[int(state)]
            for length in range(len(data) + 1):
                run = thaw(state)
                call(run, data[:length], False, out)
                out[-1] += save(run)
                if length % 64 == 63:
                    write(out)
        else:
            sys.exit(f"unknown request: {request!r}")
        write(out)


if __name__ == "__main__":
    main()
