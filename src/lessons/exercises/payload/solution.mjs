#!/usr/bin/env node
// A solution of lesson 19's exercise: the packets in one answer

import { createInterface } from 'node:readline';

const KINDS = ['open', 'close', 'ping', 'pong', 'message', 'upgrade', 'noop'];

function packets(body) {
  const found = [];
  let from = 0;
  while (from <= body.length) {
    const at = body.indexOf(0x1e, from);
    const end = at < 0 ? body.length : at;
    const kind = from < end ? KINDS[body[from] - 0x30] : undefined;
    if (kind === undefined) return undefined;
    found.push({ kind, rest: body.subarray(from + 1, end) });
    from = end + 1;
  }
  return found;
}

for await (const line of createInterface({ input: process.stdin })) {
  const found = packets(Buffer.from(line.split(' ')[1].replace('-', ''), 'hex'));
  const said = found?.map(({ kind, rest }) => `${kind}:${rest.toString('hex') || '-'}`).join('+') ?? 'refused';
  console.log(`answer: packets=${said}`);
}

// Try this: a WebSocket carries one packet in each message. Why does it need no separator?
