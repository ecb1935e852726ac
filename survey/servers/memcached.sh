# memcached, with its text protocol and then its binary one.
memcached --version > version
printf 'set a 0 0 4\r\nb\r\nc\r\nget a b\r\nbad\r\nmn\r\nmg a v\r\n' > text
printf '\200\001\0\001\010\0\0\0\0\0\0\013\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a12' > binary
printf '\200\0\0\001\0\0\0\0\0\0\0\001\0\0\0\0\0\0\0\0\0\0\0\0a' >> binary
mask='(?s-u)^(\x81\x01.{14}).{8}|(?s-u)(\x81\x00.{14}).{8}'
everysplit tcp --port "$PORT" --stream text --stream binary --mask "$mask" -- \
    memcached -u nobody -l 127.0.0.1 -p "$PORT"
