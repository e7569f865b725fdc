#!/usr/bin/env node
// A solution of lesson 14's exercise: when does the question end?

import { createInterface } from 'node:readline';

// A server that has one connection. Each method gives what is sent, or undefined, and whether the server closes.
class Server {
  count = 0;

  data(piece) {
    this.count += piece.length;
    return [undefined, false];
  }

  nothing() {
    return [undefined, false];
  }

  end() {
    return [this.count, true];
  }

  // There is no one to answer. The socket must go all the same.
  error() {
    return [undefined, true];
  }
}

let server;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, hex] = line.split(' ');
  let [sends, closes] = [undefined, false];
  if (word === 'begin') server = new Server();
  else [sends, closes] = server[word](Buffer.from(hex ?? '', 'hex'));
  const facts = { sends: sends ?? 'nothing', closes: closes ? 'yes' : 'no' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: A client sends its question and never closes. What should a server do about that?
