# Node's http.
node --version > version
cat > server.js <<'JS'
require('node:http')
  .createServer((request, reply) => {
    const body = [];
    request.on('data', (chunk) => body.push(chunk));
    request.on('end', () => reply.end(`${request.method} ${request.url} ${Buffer.concat(body)}`));
  })
  .listen(process.argv[2], '127.0.0.1');
JS
everysplit http --port "$PORT" -- node server.js "$PORT"
