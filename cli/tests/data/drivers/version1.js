// A driver for a decoder in Node. Replace the three functions, then run
//
//     everysplit exec --framing len16 -- node driver.js
//
// PROTOCOL.md describes the protocol.
'use strict';

const crypto = require('node:crypto');
const readline = require('node:readline');
const v8 = require('node:v8');

// Returns a fresh decoder. config has the entries of --config, and max for --size-limit.
// Example: a length of two bytes, then the body.
// A decoder must consist of data only, as v8.serialize copies it.
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
    decoder.buffer = Buffer.from(decoder.buffer.subarray(end));
  }
}

// Yields the frames at the end of the stream. Throws an exception for an error.
function* finish(decoder) {
  if (decoder.buffer.length > 0) throw new RangeError();
}

// The decoder and its first error. After an error, the decoder is no longer used.
let state;
const saved = new Map();

function reply(line) {
  const [word, ...words] = line.split(' ');
  const rest = words.join(' ');
  const out = [];
  switch (word) {
    case 'hello':
      return 'ready 1 states\n';
    case 'new':
      state = { decoder: create(Object.fromEntries(words.filter(Boolean).map((pair) => pair.split('=')))) };
      break;
    case 'save': {
      const bytes = v8.serialize(state);
      const digest = crypto.createHash('sha256').update(bytes).digest('hex');
      saved.set(digest, bytes);
      return `ready ${digest}\n`;
    }
    case 'load':
      state = v8.deserialize(saved.get(rest));
      break;
    case 'feed':
    case 'finish':
      try {
        const { decoder, failed } = state;
        const frames = failed ? [] : word === 'feed' ? feed(decoder, Buffer.from(rest, 'hex')) : finish(decoder);
        for (const frame of frames) out.push(`frame ${Buffer.isBuffer(frame) ? frame.toString('hex') : frame}\n`);
      } catch (error) {
        state.failed = error.code ?? error.name;
      }
      if (state.failed) out.push(`error ${state.failed}\n`);
      break;
    default:
      throw new Error(`unknown request: ${line}`);
  }
  return out.join('') + 'ready\n';
}

readline.createInterface({ input: process.stdin }).on('line', (line) => process.stdout.write(reply(line)));
