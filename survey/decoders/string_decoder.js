'use strict';

const { StringDecoder } = require('node:string_decoder');

function create(config) {
  return new StringDecoder(config.encoding);
}

function* feed(decoder, chunk) {
  yield* decoder.write(chunk);
}

function* finish(decoder) {
  yield* decoder.end();
}

