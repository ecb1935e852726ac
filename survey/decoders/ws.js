'use strict';

const { Receiver } = require('ws');

function open(config, emit) {
  const receiver = new Receiver({ isServer: true });
  receiver.on('message', (data) => emit(data));
  return receiver;
}

