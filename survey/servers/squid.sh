# Squid, in front of CPython's http.server.
squid -v > version
python3 -m http.server --bind 127.0.0.1 $((PORT + 1)) > /dev/null 2>&1 &
trap "kill $!" EXIT
cat > squid.conf <<CONF
http_port 127.0.0.1:$PORT accel defaultsite=localhost
cache_peer 127.0.0.1 parent $((PORT + 1)) 0 no-query originserver
http_access allow all
cache deny all
pid_filename $FOLDER/pid
access_log none
pinger_enable off
cache_log $FOLDER/cache.log
CONF
chmod 777 .
everysplit http --port "$PORT" -- squid -N -f squid.conf
