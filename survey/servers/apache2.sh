# Apache, with a file.
apache2 -v > version
echo hello > index.html
cat > apache2.conf <<CONF
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
ServerName localhost
ServerRoot $FOLDER
PidFile pid
Mutex file:$FOLDER
ErrorLog error.log
Listen 127.0.0.1:$PORT
DocumentRoot $FOLDER
CONF
everysplit http --port "$PORT" -- apache2 -X -f "$FOLDER/apache2.conf"
