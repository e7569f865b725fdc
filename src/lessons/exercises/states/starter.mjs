#!/usr/bin/env node
/*
Exercise of lesson 14: from ESTABLISHED to CLOSED.

`netlayers check states --language javascript` says how far you are.

closes first:    ESTABLISHED -> FIN-WAIT-1 -> FIN-WAIT-2 -> TIME-WAIT -> CLOSED
closes second:   ESTABLISHED -> CLOSE-WAIT -> LAST-ACK -> CLOSED
both at once:    ESTABLISHED -> FIN-WAIT-1 -> CLOSING -> TIME-WAIT -> CLOSED

Four things can happen: the program closes (close), the FIN of the other end arrives (fin), the ACK of our own FIN
arrives (ack), and two maximum segment lifetimes have passed (2msl). RFC 9293 section 3.3.2 has the diagram.

It runs, and it is wrong. `netlayers hint states` helps, `netlayers reset states --language javascript` starts over.
Any other language will do as well: `netlayers check states --program FILE`.
*/

import { createInterface } from 'node:readline';

// The state after an event, and what is sent because of it: FIN, ACK or nothing.
function after(state, event) {
  // This knows only how to begin.
  const known = {
    'ESTABLISHED close': ['FIN-WAIT-1', 'FIN'],
    'ESTABLISHED fin': ['CLOSE-WAIT', 'ACK'],
  };
  return known[`${state} ${event}`] ?? [state, 'nothing'];
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for await (const line of createInterface({ input: process.stdin })) {
  const [, before, event] = line.split(' ');
  const [state, sends] = after(before, event);
  const facts = { state, sends };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/states.mjs, then in ESTABLISHED close
// 2. Many connections of a server are in CLOSE-WAIT. Whose fault is it?
