'use strict';

const { HTTPParser } = require('http-parser-js');

function onHeaders(info) {
  this.frames.push(new Piece(Buffer.from(info.url)));
}

function onBody(buffer, start, length) {
  this.frames.push(new Piece(buffer.subarray(start, start + length)));
}

function onMessage() {
  this.frames.push(Buffer.alloc(0));
}

function create(config) {
  const parser = new HTTPParser(HTTPParser.REQUEST);
  parser.frames = [];
  parser[HTTPParser.kOnHeadersComplete] = onHeaders;
  parser[HTTPParser.kOnBody] = onBody;
  parser[HTTPParser.kOnMessageComplete] = onMessage;
  return parser;
}

function* feed(parser, chunk) {
  const result = chunk.length > 0 ? parser.execute(chunk) : 0;
  yield* parser.frames.splice(0);
  if (result instanceof Error) throw result;
}

function* finish(parser) {
  const result = parser.finish();
  if (result instanceof Error) throw result;
}

