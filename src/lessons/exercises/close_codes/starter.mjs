#!/usr/bin/env node
/*
Exercise of lesson 18: judge a Close frame.

`netlayers check 18 --language javascript` says how far you are.

+--------+--------+----------------
|      code       | reason, UTF-8      both may be absent, or the reason only: RFC 6455 §5.5.1
+--------+--------+----------------

1000 to 2999 are the protocol's own codes, and only some of them may be sent; 3000 to 4999 belong to libraries and
programs. 1004, 1005, 1006 and 1015 are never on the wire (RFC 6455 §7.4). 1012 to 1014 came later, by registration.

It runs, and it is wrong. `netlayers hint 18` helps, `netlayers reset 18 --language javascript` starts over.
Any other language will do as well: `netlayers check 18 --program FILE`.
*/

import { createInterface } from 'node:readline';

// What becomes of a Close frame with this payload (a Buffer): 'told' and the code that the program learns; or 'failed'
// and the code that the connection ends with.
function judge(payload) {
  if (payload.length < 2) return ['failed', 1002];
  // Not every number is a code that may be sent.
  return ['told', payload.readUInt16BE(0)];
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for await (const line of createInterface({ input: process.stdin })) {
  const [outcome, code] = judge(Buffer.from(line.split(' ')[1].replace('-', ''), 'hex'));
  const facts = { [outcome]: code };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type a line to your program yourself: node exercises/javascript/close_codes.mjs, then close 03e8
// 2. Why is 1006 a number at all, when it must not be sent?
