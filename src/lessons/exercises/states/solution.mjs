#!/usr/bin/env node
// A solution of lesson 14's exercise: from ESTABLISHED to CLOSED

import { createInterface } from 'node:readline';

// The state after an event, and what is sent because of it: FIN, ACK or nothing.
function after(state, event) {
  const known = {
    'ESTABLISHED close': ['FIN-WAIT-1', 'FIN'],
    'CLOSE-WAIT close': ['LAST-ACK', 'FIN'],
    'ESTABLISHED fin': ['CLOSE-WAIT', 'ACK'],
    'FIN-WAIT-1 fin': ['CLOSING', 'ACK'],
    'FIN-WAIT-2 fin': ['TIME-WAIT', 'ACK'],
    'FIN-WAIT-1 ack': ['FIN-WAIT-2', 'nothing'],
    'CLOSING ack': ['TIME-WAIT', 'nothing'],
    'LAST-ACK ack': ['CLOSED', 'nothing'],
    'TIME-WAIT 2msl': ['CLOSED', 'nothing'],
  };
  // A FIN that was acknowledged before: that ACK was lost.
  return known[`${state} ${event}`] ?? [state, event === 'fin' ? 'ACK' : 'nothing'];
}

for await (const line of createInterface({ input: process.stdin })) {
  const [, before, event] = line.split(' ');
  const [state, sends] = after(before, event);
  const facts = { state, sends };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: Many connections of a server are in CLOSE-WAIT. Whose fault is it?
