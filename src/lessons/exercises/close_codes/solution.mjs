#!/usr/bin/env node
// A solution of lesson 18's exercise: judge a Close frame

import { createInterface } from 'node:readline';

// What becomes of a Close frame with this payload: 'told' and the code that the program learns; or 'failed' and the
// code that the connection ends with.
function judge(payload) {
  if (payload.length === 0) return ['told', 1005]; // "no code": a number for programs, which is never sent
  if (payload.length === 1) return ['failed', 1002];
  const code = payload.readUInt16BE(0);
  const sent = [[1000, 1003], [1007, 1014], [3000, 4999]];
  if (!sent.some(([first, last]) => first <= code && code <= last)) return ['failed', 1002];
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(payload.subarray(2));
  } catch {
    return ['failed', 1007];
  }
  return ['told', code];
}

for await (const line of createInterface({ input: process.stdin })) {
  const [outcome, code] = judge(Buffer.from(line.split(' ')[1].replace('-', ''), 'hex'));
  const facts = { [outcome]: code };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: Why is 1006 a number at all, when it must not be sent?
