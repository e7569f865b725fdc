#!/usr/bin/env node
/*
Exercise of lesson 19: the packets in one answer.

`netlayers check 19 --language javascript` says how far you are.

body 34 68 69             message:6869    a digit, 4, and "hi"
body 32 1e 34 68 69       ping:-+message:6869
        |
        between two packets

0 open, 1 close, 2 ping, 3 pong, 4 message, 5 upgrade, 6 noop      Engine.IO protocol, revision 4

It runs, and it is wrong. `netlayers hint 19` helps, `netlayers reset 19 --language javascript` starts over.
Any other language will do as well: `netlayers check 19 --program FILE`.
*/

import { createInterface } from 'node:readline';

const KINDS = ['open', 'close', 'ping', 'pong', 'message', 'upgrade', 'noop'];

// The packets in a body (a Buffer): of each the name of its kind, and what is behind the digit. undefined when one is
// no packet.
function packets(body) {
  // This takes every body for one message.
  return [{ kind: 'message', rest: body.subarray(1) }];
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for await (const line of createInterface({ input: process.stdin })) {
  const found = packets(Buffer.from(line.split(' ')[1].replace('-', ''), 'hex'));
  const said = found?.map(({ kind, rest }) => `${kind}:${rest.toString('hex') || '-'}`).join('+') ?? 'refused';
  console.log(`answer: packets=${said}`);
}

// Try this:
// 1. Type a line to your program yourself: node exercises/javascript/payload.mjs, then body 321e346869
// 2. A WebSocket carries one packet in each message. Why does it need no separator?
