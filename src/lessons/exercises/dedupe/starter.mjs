#!/usr/bin/env node
/*
Exercise of lesson 21: drop the copies.

`netlayers check 21 --language javascript` says how far you are.

Ada             the network            Bob
 |--- "pay 5", id ada-1 ----------------->|   effect: 5 are paid
 |          X<--------- I have ada-1 -----|
 |--- "pay 5", id ada-1 ----------------->|   a copy: nothing is paid

A sender that gets no acknowledgement must send again: it cannot know which of the two was lost. So copies come, and
the receiver has to know them.

It runs, and it is wrong. `netlayers hint 21` helps, `netlayers reset 21 --language javascript` starts over.
Any other language will do as well: `netlayers check 21 --program FILE`.
*/

import { createInterface } from 'node:readline';

// What the receiver remembers.
class Ids {
  // One that may remember `room` ids; when there is no room, the oldest is forgotten.
  constructor(room) {
    this.last = undefined;
  }

  // Whether an event with this id is to have its effect.
  isNew(id) {
    // This knows a copy only when it comes at once.
    const isNew = this.last !== id;
    this.last = id;
    return isNew;
  }
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let ids;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, value] = line.split(' ');
  if (word === 'begin') ids = new Ids(Number(value));
  const facts = word === 'begin' ? { ready: 'yes' } : { effect: ids.isNew(value) ? 'yes' : 'no' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/dedupe.mjs, then begin 3, event ada-1
// 2. How many ids must a receiver remember, if a sender has at most 10 events under way?
