#!/usr/bin/env node
// A solution of lesson 21's exercise: drop the copies

import { createInterface } from 'node:readline';

// The ids of the newest events.
class Ids {
  ids = new Set(); // in the order in which they came, the oldest first

  // One that may remember `room` ids; when there is no room, the oldest is forgotten.
  constructor(room) {
    this.room = room;
  }

  // Whether an event with this id is to have its effect.
  isNew(id) {
    if (this.ids.has(id)) return false;
    if (this.ids.size === this.room) this.ids.delete(this.ids.values().next().value);
    this.ids.add(id);
    return true;
  }
}

let ids;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, value] = line.split(' ');
  if (word === 'begin') ids = new Ids(Number(value));
  const facts = word === 'begin' ? { ready: 'yes' } : { effect: ids.isNew(value) ? 'yes' : 'no' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: How many ids must a receiver remember, if a sender has at most 10 events under way?
