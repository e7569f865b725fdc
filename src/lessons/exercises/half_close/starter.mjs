#!/usr/bin/env node
/*
Exercise of lesson 14: when does the question end?.

`netlayers check half_close --language javascript` says how far you are.

client                       server
  |--- "how lon" -------------->|   a part of the question
  |--- "g is this?" ----------->|   another part
  |--- FIN -------------------->|   now it is complete: read gives 0 bytes
  |<------------- "17", FIN ----|   the answer, and the end of that

The server says how many bytes the question has. A client says by its FIN that the question is complete, and still
reads: a half-close (RFC 9293 section 3.6.1).

It runs, and it is wrong. `netlayers hint half_close` helps, `netlayers reset half_close --language javascript`
starts over.
Any other language will do as well: `netlayers check half_close --program FILE`.
*/

import { createInterface } from 'node:readline';

// A server that has one connection. Each method gives what is sent, or undefined, and whether the server closes.
class Server {
  count = 0;

  // A read gave these bytes.
  data(piece) {
    // This takes what one read gave for the whole question.
    this.count += piece.length;
    return [this.count, true];
  }

  // A read gave nothing: nothing has arrived since the last one ("would block").
  nothing() {
    return [undefined, false];
  }

  // A read gave 0 bytes: the client has closed its direction.
  end() {
    return [undefined, true];
  }

  // A read failed: the client has reset the connection.
  error() {
    return [undefined, false];
  }
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let server;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, hex] = line.split(' ');
  let [sends, closes] = [undefined, false];
  if (word === 'begin') server = new Server();
  else [sends, closes] = server[word](Buffer.from(hex ?? '', 'hex'));
  const facts = { sends: sends ?? 'nothing', closes: closes ? 'yes' : 'no' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/half_close.mjs, then begin, then data 6869 and end
// 2. A client sends its question and never closes. What should a server do about that?
