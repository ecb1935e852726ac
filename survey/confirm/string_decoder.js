// Node 20.20.2, string_decoder: half of a character of UTF-16 is returned if its two bytes arrive in
// two writes.
'use strict';

const assert = require('node:assert');
const { StringDecoder } = require('node:string_decoder');

/** Decodes these writes; returns what each of them returned. */
function decoded(...writes) {
  const decoder = new StringDecoder('utf16le');
  return writes.map((write) => decoder.write(Buffer.from(write, 'hex')));
}

assert.deepEqual(decoded('3dd8', '42de'), ['', '🙂']);
assert.deepEqual(decoded('3d', 'd842de'), ['', '🙂']);
// A program that sends each text on as UTF-8 sends two replacement characters.
assert.deepEqual(decoded('3d', 'd8', '42de'), ['', '\ud83d', '\ude42']);
console.log('confirmed');
