# HAProxy, which replies by itself.
haproxy -v > version
cat > haproxy.cfg <<CONF
defaults
    mode http
    timeout client 30s
    timeout connect 30s
    timeout server 30s
frontend web
    bind 127.0.0.1:$PORT
    http-request wait-for-body time 10s if { method POST PUT }
    http-request return status 200 content-type text/plain lf-string "%HM %HU"
CONF
everysplit http --port "$PORT" -- haproxy -db -f haproxy.cfg
