#!/usr/bin/env node
// A solution of lesson 20's exercise: take a packet apart

import { createInterface } from 'node:readline';

const KINDS = ['connect', 'disconnect', 'event', 'ack', 'connecterror']; // by their digits, from 0

// What the text of a message says; 'no_message' when it is none of Engine.IO's messages, 'no_kind' when the digit after
// that is unknown.
function parse(text) {
  if (!text.startsWith('4')) return 'no_message';
  const kind = KINDS[text[1]];
  if (!kind) return 'no_kind';
  let [namespace, rest] = ['/', text.slice(2)];
  if (rest.startsWith('/')) {
    const comma = rest.indexOf(',');
    const end = comma < 0 ? rest.length : comma; // without a comma it goes to the end
    [namespace, rest] = [rest.slice(0, end), rest.slice(end + 1)];
  }
  const [digits] = /^[0-9]*/.exec(rest);
  return { kind, namespace, number: digits ? Number(digits) : undefined, data: rest.slice(digits.length) };
}

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

// Try this: A client sends a number of a thousand digits. What does your program do? What does `decoder.rs` do?
