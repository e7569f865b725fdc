#!/usr/bin/env node
/*
Exercise of lesson 20: take a packet apart.

`netlayers check 20 --language javascript` says how far you are.

  4        2       /staff,       17        ["say","hi"]
  |        |          |           |             |
  |        |          |           |             JSON: the event's name, and what it carries
  |        |          |           a number, when an answer is wanted; or the number of what is answered
  |        |          the namespace and a comma; nothing for the main one, /
  |        0 connect, 1 disconnect, 2 event, 3 ack, 4 connect error
  Engine.IO: a message

Everything but the first two digits may be missing (Socket.IO protocol, revision 5).

It runs, and it is wrong. `netlayers hint 20` helps, `netlayers reset 20 --language javascript` starts over.
Any other language will do as well: `netlayers check 20 --program FILE`.
*/

import { createInterface } from 'node:readline';

const KINDS = ['connect', 'disconnect', 'event', 'ack', 'connecterror']; // by their digits, from 0

// What the text of a message says; 'no_message' when it is none of Engine.IO's messages, 'no_kind' when the digit after
// that is unknown.
function parse(text) {
  if (!text.startsWith('4')) return 'no_message';
  // This takes everything for an event of the main namespace.
  return { kind: KINDS[2], namespace: '/', number: undefined, data: text.slice(2) };
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for await (const line of createInterface({ input: process.stdin })) {
  const said = parse(line.replace(/^packet /, ''));
  const facts = typeof said === 'string' ? { refused: said } : {
    kind: said.kind,
    namespace: said.namespace,
    ack: said.number ?? '-',
    data: said.data.replaceAll(' ', '_') || '-',
  };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type a line to your program yourself: node exercises/javascript/packet.mjs, then packet 42["echo","one"]
// 2. A client sends a number of a thousand digits. What does your program do? What does `decoder.rs` do?
