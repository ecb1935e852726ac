# bjoern, a WSGI server with the parser of Node 0.x.
python3 -c 'from importlib.metadata import version; print(version("bjoern"))' > version
cat > server.py <<'PY'
import sys

import bjoern


def application(environ, start_response):
    start_response("200 OK", [])
    query = environ.get("QUERY_STRING", "")
    return [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {query}".encode()]


bjoern.run(application, "127.0.0.1", int(sys.argv[1]))
PY
everysplit http --port "$PORT" --path '/?q=1' -- python3 server.py "$PORT"
