# PostgreSQL, which does not run as root: a start-up and a query, as a conversation.
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
"$bin/postgres" --version > version
as=$([ "$(id -u)" != 0 ] || echo 'runuser -u postgres --')
chmod 777 . && mkdir data && [ -z "$as" ] || chown postgres data
$as "$bin/initdb" --no-sync -A trust -U postgres -D "$FOLDER/data" > initdb.log
cat > script <<'SCRIPT'
send-hex 00000029 00030000 75736572 00706f73 74677265 73006461 74616261 73650070 6f737467 72657300 00
expect "(?s-u)^R.*K\x00\x00\x00\x0c(?<key>.{8})Z\x00\x00\x00\x05I"
send-hex 51 00000018 73656c65 63742034 32206173 20616e73 77657200
expect "(?s-u)SELECT 1\x00Z\x00\x00\x00\x05I"
SCRIPT
$as "$bin/postgres" -D "$FOLDER/data" -p "$PORT" -h 127.0.0.1 -k "$FOLDER/data" -F 2> log &
trap '$as "$bin/pg_ctl" stop -D "$FOLDER/data" -m fast > stop.log' EXIT
until "$bin/pg_isready" -q -h 127.0.0.1 -p "$PORT"; do sleep 0.1; done
everysplit tcp --connect 127.0.0.1:"$PORT" --script script --max-connections 200
