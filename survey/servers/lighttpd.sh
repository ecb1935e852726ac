# lighttpd, with a file.
lighttpd -v > version
echo hello > index.html
cat > lighttpd.conf <<CONF
server.document-root = "$FOLDER"
server.port = $PORT
server.bind = "127.0.0.1"
index-file.names = ("index.html")
CONF
everysplit http --port "$PORT" -- lighttpd -D -f lighttpd.conf
