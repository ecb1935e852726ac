# Dnsmasq: two queries over TCP.
dnsmasq --version > version
printf '\0\033\0\001\001\0\0\001\0\0\0\0\0\0\011localhost\0\0\001\0\001' > stream
cat stream stream > two
everysplit tcp --port "$PORT" --stream stream --stream two -- \
    dnsmasq --no-daemon --conf-file=/dev/null --listen-address=127.0.0.1 --bind-interfaces \
    --port="$PORT" --pid-file=pid
