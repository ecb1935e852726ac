// A driver for a Node stream that decodes: a Transform, or a Writable with events of its own.
// Replace the function open, then run
//
//     everysplit exec --framing len16 -- node driver.js
'use strict';

const { Transform } = require('node:stream');

// Returns a fresh stream. Call emit with each frame, as a Buffer or a string, unless the stream
// emits them as its 'data'. Its 'error' is an error. config has the entries of --config, and max
// for --size-limit.
function open(config, emit) {
  // Example: a length of two bytes, then the body.
  let buffer = Buffer.alloc(0);
  return new Transform({
    readableObjectMode: true,
    transform(chunk, encoding, done) {
      buffer = Buffer.concat([buffer, chunk]);
      while (buffer.length >= 2 && buffer.length >= 2 + buffer.readUInt16BE(0)) {
        const end = 2 + buffer.readUInt16BE(0);
        this.push(buffer.subarray(2, end));
        buffer = buffer.subarray(end);
      }
      done();
    },
    flush: (done) => done(buffer.length > 0 ? new RangeError() : null),
  });
}

// ---- Nothing below needs a change. ----

function create(config) {
  const decoder = { frames: [], error: undefined };
  decoder.stream = open(config, (frame) => decoder.frames.push(frame));
  decoder.stream.on('data', (frame) => decoder.frames.push(frame));
  decoder.stream.on('error', (error) => (decoder.error ??= error));
  return decoder;
}

async function feed(decoder, chunk) {
  if (chunk.length > 0) decoder.stream.write(chunk);
  return emitted(decoder);
}

async function finish(decoder) {
  decoder.stream.end();
  return emitted(decoder);
}

async function emitted(decoder) {
  // What a stream does at once, and what it defers.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  return (function* () {
    yield* decoder.frames.splice(0);
    if (decoder.error) throw decoder.error;
  })();
}
