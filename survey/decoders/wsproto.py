from wsproto.frame_protocol import FrameProtocol


def new(config):
    return FrameProtocol(client=False, extensions=[])


def feed(protocol, chunk):
    protocol.receive_bytes(chunk)
    for frame in protocol.received_frames():
        payload = frame.payload
        yield Piece(payload.encode() if isinstance(payload, str) else bytes(payload))
        if frame.message_finished:
            yield b""


def finish(protocol):
    return ()
