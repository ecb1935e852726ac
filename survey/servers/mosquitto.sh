# Mosquitto: CONNECT, SUBSCRIBE, PUBLISH to itself, PINGREQ and DISCONNECT.
mosquitto -h > version || true
printf '\020\014\0\004MQTT\004\002\0\074\0\0\202\006\0\001\0\001a\0\060\005\0\001a!!\300\0\340\0' > stream
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$PORT" > mosquitto.conf
everysplit tcp --port "$PORT" --stream stream -- mosquitto -c mosquitto.conf
