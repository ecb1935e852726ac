// A driver for a decoder in Node whose caller owns the buffer. Replace the two functions, then run
//
//     everysplit exec --framing len16 -- node driver.js
'use strict';

// Returns a fresh decoder. config has the entries of --config, and max for --size-limit.
function create(config) {
  return { limit: Number(config.max ?? 65535) };
}

// Returns the next frame, as a Buffer or a string, and how many bytes of the buffer it takes:
// [undefined, 0] if more bytes are needed. Throws an exception for an error. atEnd is true if no
// more bytes will come.
function decode(decoder, buffer, atEnd) {
  // Example: a length of two bytes, then the body.
  const size = buffer.length < 2 ? 0 : buffer.readUInt16BE(0);
  if (size > decoder.limit) throw new RangeError();
  if (buffer.length >= 2 + size) return [buffer.subarray(2, 2 + size), 2 + size];
  if (atEnd && buffer.length > 0) throw new RangeError();
  return [undefined, 0];
}
