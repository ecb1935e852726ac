
// ---- The protocol, version 2. "everysplit protocol" describes it. Nothing below needs a change. ----

// A part of a frame, to be emitted before the rest of it.
class Piece {
  constructor(content) {
    this.content = content;
  }
}

// Numbers for prototypes and functions, which are compared by identity.
const numbers = new WeakMap();
let lastNumber = 0;

function numberOf(object) {
  let number = numbers.get(object);
  if (number === undefined) numbers.set(object, (number = ++lastNumber));
  return number;
}

const known = new Set([Object, Array, Map, Set, Date, RegExp, Buffer, ArrayBuffer]);
for (const native of [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Error, TypeError, RangeError]) known.add(native);
const checked = new Set();

// Checks that objects of a prototype have no state that cannot be read from outside.
function check(prototype) {
  if (prototype === null || checked.has(prototype)) return;
  const { constructor } = prototype;
  if (typeof constructor === 'function' && !known.has(constructor)) {
    const source = Function.prototype.toString.call(constructor);
    if (source.includes('[native code]') || /#[\p{ID_Start}$_]/u.test(source)) throw new TypeError('hidden state');
    check(Object.getPrototypeOf(prototype));
  }
  checked.add(prototype);
}

// The same as Reflect.ownKeys, but faster.
function keysOf(value) {
  const symbols = Object.getOwnPropertySymbols(value);
  const names = Object.getOwnPropertyNames(value);
  return symbols.length === 0 ? names : names.concat(symbols);
}

// Returns a text that is the same for two values only if they are in the same state.
function describe(value, seen) {
  if (typeof value === 'function') return `f${numberOf(value)};`;
  if (typeof value === 'string') return `s${value.length}:${value}`;
  if (typeof value === 'symbol') return `y${value.toString()};`;
  if (typeof value !== 'object' || value === null) return `${typeof value}${Object.is(value, -0) ? '-0' : value};`;
  const number = seen.get(value);
  if (number !== undefined) return `#${number};`;
  seen.set(value, seen.size);
  if (Buffer.isBuffer(value)) return `b${value.length}:${value.latin1Slice()}`;
  const prototype = Object.getPrototypeOf(value);
  check(prototype);
  let text = `{${prototype === null ? 0 : numberOf(prototype)};`;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `${text}${Buffer.from(value.buffer ?? value, value.byteOffset, value.byteLength).latin1Slice()}}`;
  if (value instanceof Date) text += value.getTime();
  if (value instanceof RegExp) text += value;
  if (value instanceof Map || value instanceof Set) {
    for (const entry of value instanceof Map ? [...value].flat() : value) text += describe(entry, seen);
  }
  for (const key of keysOf(value)) text += `${key.toString()}=${describe(value[key], seen)}`;
  return `${text}}`;
}

// The keys of objects that have been copied, null if an assignment does not copy each property. Only
// saved objects are copied often, and they do not change.
const assignable = new WeakMap();

function assignableKeysOf(value) {
  let keys = assignable.get(value);
  if (keys === undefined) {
    const isAssignable = (key) => {
      const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(value, key);
      return writable && ((enumerable && configurable) || (key === 'length' && Array.isArray(value)));
    };
    keys = keysOf(value);
    if (!keys.every(isAssignable)) keys = null;
    assignable.set(value, keys);
  }
  return keys;
}

function copy(value, seen) {
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (made) => (seen.set(value, made), made);
  if (Buffer.isBuffer(value)) return keep(Buffer.from(value));
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return keep(value.slice());
  const prototype = Object.getPrototypeOf(value);
  let made;
  if (value instanceof Map) {
    made = keep(Reflect.construct(Map, [], prototype?.constructor ?? Map));
    for (const [key, entry] of value) made.set(copy(key, seen), copy(entry, seen));
  } else if (value instanceof Set) {
    made = keep(Reflect.construct(Set, [], prototype?.constructor ?? Set));
    for (const entry of value) made.add(copy(entry, seen));
  } else if (value instanceof Date) made = keep(new Date(value));
  else if (value instanceof RegExp) made = keep(new RegExp(value));
  else if (Array.isArray(value)) made = keep(Object.setPrototypeOf([], prototype));
  else made = keep(Object.create(prototype));
  const keys = assignableKeysOf(value);
  if (keys !== null) {
    for (const key of keys) made[key] = copy(value[key], seen);
    return made;
  }
  for (const key of keysOf(value)) {
    const property = Object.getOwnPropertyDescriptor(value, key);
    if ('value' in property) property.value = copy(property.value, seen);
    Object.defineProperty(made, key, property);
  }
  return made;
}

function nameOf(run) {
  return `${run.failed} ${describe(run.decoder, new Map())}`;
}

function copyOf({ decoder, failed }) {
  return { decoder: copy(decoder, new Map()), failed };
}

// The saved decoders, and the index of each by its description.
const saved = [];
const indices = new Map();
let canSave = false;
let resynchronises = false;
const isBuffered = typeof decode === 'function';

// Returns whether decoders can be copied and compared, by trying it on fresh ones.
function triesToSave(run, config) {
  try {
    const name = nameOf(run);
    return name === nameOf(copyOf(run)) && name === nameOf({ decoder: create(config), failed: undefined });
  } catch {
    return false;
  }
}

// Returns the name of the decoder's state, with a space before it; nothing if it cannot be saved.
function save(run) {
  if (!canSave) return '';
  try {
    const name = nameOf(run);
    let index = indices.get(name);
    if (index === undefined) {
      index = saved.push(run) - 1;
      indices.set(name, index);
    }
    return ` ${index}`;
  } catch {
    return '';
  }
}

const writeReplies = process.stdout.write.bind(process.stdout);

function write(out) {
  if (out.length > 0) writeReplies(out.splice(0).join('\n') + '\n');
}

function lineOf(frame) {
  return frame instanceof Piece ? `piece ${text(frame.content)}` : `frame ${text(frame)}`;
}

function text(frame) {
  if (Buffer.isBuffer(frame)) return frame.hexSlice();
  if (ArrayBuffer.isView(frame)) return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString('hex');
  return String(frame).replaceAll('\r', '\\r').replaceAll('\n', '\\n');
}

// Calls the decoder. Appends the lines of the reply, the last one without the state.
async function call(run, data, atEnd, out) {
  let consumed = 0;
  if (!run.failed) {
    try {
      if (isBuffered) {
        const [frame, count] = decode(run.decoder, data, atEnd);
        consumed = count;
        if (frame !== undefined && frame !== null) out.push(lineOf(frame));
      } else {
        let frames = atEnd ? finish(run.decoder) : feed(run.decoder, data);
        if (frames instanceof Promise) frames = await frames;
        for (const frame of frames ?? []) {
          out.push(lineOf(frame));
          if (out.length >= 1000) write(out);
        }
      }
    } catch (error) {
      const kind = String(error?.code ?? error?.name ?? error).split(/\s/)[0];
      if (resynchronises && !atEnd) out.push(`reject ${kind}`);
      // After an error, the decoder is no longer used.
      else Object.assign(run, { decoder: undefined, failed: kind });
    }
  }
  if (run.failed) out.push(`error ${run.failed}`);
  out.push(isBuffered ? `ready ${consumed}` : 'ready');
}

let run;

async function reply(line) {
  const [word, ...words] = line.split(' ');
  const out = [];
  switch (word) {
    case 'hello':
      out.push(isBuffered ? 'ready 2 buffer' : 'ready 2');
      break;
    case 'new': {
      const config = Object.fromEntries(words.filter(Boolean).map((pair) => pair.split(/=(.*)/s, 2)));
      resynchronises = 'resynchronises' in config;
      run = { decoder: create(config), failed: undefined };
      if (saved.length === 0) canSave = triesToSave(run, config);
      out.push(`ready${save(canSave ? copyOf(run) : run)}`);
      break;
    }
    case 'feed':
    case 'decode':
    case 'finish':
      await call(run, Buffer.from(words[0] ?? '', 'hex'), word === 'finish', out);
      break;
    case 'row': {
      const state = saved[Number(words[0])];
      const data = Buffer.from(words[1] ?? '', 'hex');
      for (let length = 0; length <= data.length; length++) {
        run = copyOf(state);
        await call(run, data.subarray(0, length), false, out);
        out[out.length - 1] += save(run);
        if (length % 64 === 63) write(out);
      }
      break;
    }
    default:
      throw new Error(`unknown request: ${line}`);
  }
  write(out);
}

async function main() {
  // What a decoder prints is no reply.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  let rest = '';
  for await (const data of process.stdin.setEncoding('latin1')) {
    const lines = (rest + data).split('\n');
    rest = lines.pop();
    for (const line of lines) await reply(line);
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
