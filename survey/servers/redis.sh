# Redis.
redis-server --version > version
printf 'PING\r\n*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n*1\r\n$4\r\nPING\r\nECHO "a b"\r\n' > stream
everysplit tcp --port "$PORT" --stream stream -- \
    redis-server --port "$PORT" --bind 127.0.0.1 --save ''
