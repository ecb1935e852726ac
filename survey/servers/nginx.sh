# nginx, which replies by itself.
nginx -v 2> version
cat > nginx.conf <<CONF
pid $FOLDER/pid;
events {}
http {
    access_log off;
    client_body_temp_path $FOLDER/body;
    proxy_temp_path $FOLDER/proxy;
    fastcgi_temp_path $FOLDER/fastcgi;
    uwsgi_temp_path $FOLDER/uwsgi;
    scgi_temp_path $FOLDER/scgi;
    server {
        listen 127.0.0.1:$PORT;
        location / { return 200 "\$request_method \$request_uri\n"; }
    }
}
CONF
everysplit http --port "$PORT" -- nginx -e error.log -c "$FOLDER/nginx.conf" -g 'daemon off;'
