# CPython's http.server.
python3 --version > version
everysplit http --port "$PORT" -- python3 -m http.server --bind 127.0.0.1 "$PORT"
