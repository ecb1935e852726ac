import h11


def new(config):
    return h11.Connection(h11.SERVER)


def feed(connection, chunk):
    if chunk:
        connection.receive_data(chunk)
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
            return
        if isinstance(event, h11.Request):
            yield Piece(event.method + event.target)
        elif isinstance(event, h11.Data):
            yield Piece(bytes(event.data))
        else:
            yield b""
            connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            connection.send(h11.EndOfMessage())
            connection.start_next_cycle()


def finish(connection):
    connection.receive_data(b"")
    yield from feed(connection, b"")
