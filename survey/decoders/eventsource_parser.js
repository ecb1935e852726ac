'use strict';

const { createParser } = require('eventsource-parser');

function create(config) {
  const decoder = { frames: [], text: new TextDecoder() };
  decoder.parser = createParser({ onEvent: (event) => decoder.frames.push(JSON.stringify(event)) });
  return decoder;
}

function* feed(decoder, chunk) {
  decoder.parser.feed(decoder.text.decode(chunk, { stream: true }));
  yield* decoder.frames.splice(0);
}

function* finish() {}

