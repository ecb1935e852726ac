// A driver for a decoder in Node that is fed. Replace the three functions, then run
//
//     everysplit exec --framing len16 -- node driver.js
'use strict';

// Returns a fresh decoder. config has the entries of --config, and max for --size-limit.
// Example: a length of two bytes, then the body.
function create(config) {
  return { limit: Number(config.max ?? 65535), buffer: Buffer.alloc(0) };
}

// Yields the frames of a chunk, as Buffers or strings. Throws an exception for an error.
function* feed(decoder, chunk) {
  decoder.buffer = Buffer.concat([decoder.buffer, chunk]);
  while (decoder.buffer.length >= 2) {
    const end = 2 + decoder.buffer.readUInt16BE(0);
    if (end - 2 > decoder.limit) throw new RangeError();
    if (decoder.buffer.length < end) break;
    yield decoder.buffer.subarray(2, end);
    decoder.buffer = decoder.buffer.subarray(end);
  }
}

// Yields the frames at the end of the stream. Throws an exception for an error.
function* finish(decoder) {
  if (decoder.buffer.length > 0) throw new RangeError();
}
