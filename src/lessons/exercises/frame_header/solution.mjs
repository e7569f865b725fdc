#!/usr/bin/env node
// A solution of lesson 17's exercise: decode a WebSocket frame by hand

import { createInterface } from 'node:readline';

// What the bytes of a frame say; 'incomplete' when some are missing, 'malformed' when they break a rule.
function decode(frame) {
  if (frame.length < 2) return 'incomplete';
  const [first, second] = frame;
  const [fin, opcode, isMasked] = [first >> 7, first & 0x0f, second >> 7];
  let length = BigInt(second & 0x7f); // it may have 64 bits, more than a number of JavaScript holds exactly
  const isControl = [8, 9, 10].includes(opcode);
  // What the first two bytes say is enough for these rules (RFC 6455 section 5.2, 5.5).
  if (first & 0x70 || !(opcode <= 2 || isControl) || (isControl && (!fin || length > 125))) return 'malformed';
  let at = 2;
  if (length > 125) {
    const [size, least] = length === 126n ? [2, 126n] : [8, 65536n];
    if (frame.length < at + size) return 'incomplete';
    length = BigInt(`0x${frame.toString('hex', at, at + size)}`);
    // One form only, the shortest; and the first of 64 bits is 0.
    if (length < least || length >> 63n) return 'malformed';
    at += size;
  }
  const key = isMasked ? frame.subarray(at, at + 4) : undefined;
  if (key) at += 4;
  if (BigInt(frame.length) < BigInt(at) + length) return 'incomplete';
  const payload = frame.subarray(at, at + Number(length)).map((byte, i) => (key ? byte ^ key[i % 4] : byte));
  return { fin, opcode, key, headerLength: at, payload: Buffer.from(payload) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = decode(Buffer.from(line.split(' ')[1].replace('-', ''), 'hex'));
  const facts = typeof said === 'string' ? { refused: said } : {
    fin: said.fin,
    opcode: said.opcode,
    header: said.headerLength,
    key: said.key?.toString('hex') ?? 'none',
    payload: said.payload.toString('hex') || '-',
  };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: Which of the cases would a program survive that takes every length as it comes? What could be done to it?
