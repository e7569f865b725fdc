#!/usr/bin/env node
// A solution of lesson 3's exercise: which frames does an interface take?

import { createInterface } from 'node:readline';

function read(own, frame) {
  if (frame.length < 60) return 'short';
  const type = frame.readUInt16BE(12);
  if (type < 0x0600) return 'length';
  const to = frame.subarray(0, 6);
  let whom = frame[0] & 1 ? 'group' : 'another';
  if (to.equals(own)) whom = 'me';
  else if (to.every((byte) => byte === 0xff)) whom = 'all';
  return { whom, from: frame.subarray(6, 12), type };
}

for await (const line of createInterface({ input: process.stdin })) {
  const [, own, frame] = line.split(' ');
  const said = read(Buffer.from(own, 'hex'), Buffer.from(frame, 'hex'));
  const facts = typeof said === 'string' ? { refused: said } : {
    for: said.whom,
    from: said.from.toString('hex'),
    type: said.type.toString(16).padStart(4, '0'),
  };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: which of these checks could a switch leave out, and which must it not?
