# Unbound: two queries over TCP.
unbound -V > version
printf '\0\033\0\001\001\0\0\001\0\0\0\0\0\0\011localhost\0\0\001\0\001' > stream
cat stream stream > two
cat > unbound.conf <<CONF
server:
    interface: 127.0.0.1
    port: $PORT
    username: ""
    chroot: ""
    directory: "$FOLDER"
    use-syslog: no
    do-daemonize: no
CONF
everysplit tcp --port "$PORT" --stream stream --stream two -- unbound -d -c unbound.conf
