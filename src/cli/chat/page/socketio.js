// A Socket.IO client by hand, over the browser's own WebSocket. What becomes of an event on its way down:
//
//   the event     ["say","lobby","hi"]      its name, then its arguments
//   Socket.IO     27["say","lobby","hi"]    2 is EVENT; 7 is the number under which an answer is wanted
//   Engine.IO     427["say","lobby","hi"]   4 is a message
//   WebSocket     81 97 <mask> 427["say",…  one text frame, which the browser makes
//
// Left out, since this chat needs none of it: polling, namespaces, binary events, questions from the server.

const LOST = { ok: false, lost: true, error: 'Not while the connection is lost.' };

export class SocketIO {
  #me; // {name, client, pid, offset}: what the server knows us by, and the last event that we received
  #on; // the page's {connected, event, refused, broken, packet}
  #socket;
  #isInside = false; // from the answer to our CONNECT to the end of the connection: only then may we speak
  #isReplaying = false;
  #questions = new Map(); // by number: what to call with the answer
  #asked = 0;
  #tries = 0;
  #timer; // while there is a connection: how long it may be silent; otherwise: until the next try
  #timeout = 20000; // ms; the server will say how often it pings

  constructor(me, on) {
    this.#me = me;
    this.#on = on;
  }

  connect() {
    this.#hangUp();
    this.#socket = new WebSocket(`${location.origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onclose = () => this.#broken();
    this.#watch();
  }

  // Says an event, and promises its answer; LOST when the connection breaks before it comes.
  ask(...event) {
    if (!this.#isInside) return Promise.resolve(LOST);
    this.#send(`42${++this.#asked}${JSON.stringify(event)}`);
    return new Promise((answer) => this.#questions.set(this.#asked, answer));
  }

  // Sends an event that is not answered, and that may get lost.
  tell(...event) {
    if (this.#isInside) this.#send(`42${JSON.stringify(event)}`);
  }

  #send(packet) {
    this.#socket.send(packet);
    this.#on.packet('sent', packet);
  }

  #receive(packet) {
    this.#watch();
    this.#on.packet('received', packet);
    this.#engineIO[packet[0]]?.(packet.slice(1));
  }

  // Engine.IO: a packet begins with its type.
  #engineIO = {
    0: (handshake) => { // OPEN: now we send CONNECT, with our name and the last offset we received
      const { pingInterval, pingTimeout } = JSON.parse(handshake);
      this.#timeout = pingInterval + pingTimeout;
      this.#send(`40${JSON.stringify(this.#me)}`);
    },
    1: () => this.#broken(), // CLOSE: the server ends, and may be back soon
    2: (data) => this.#send(`3${data}`), // PING wants a PONG
    4: (message) => { // MESSAGE: a Socket.IO packet is its type, the number of a question if there is one, and JSON
      const [, type, number, json] = /^(\d)(\d*)(.*)$/s.exec(message);
      this.#socketIO[type]?.(json && JSON.parse(json), Number(number));
    },
  };

  #socketIO = {
    0: ({ pid }) => { // CONNECT: we are in. If the pid is ours, we are recovered, and what we missed follows
      const { pid: ours, offset } = this.#me;
      const since = offset && parseInt(offset, 10); // its place in the log; after the point comes the server's seal
      this.#isInside = true;
      this.#isReplaying = pid === ours;
      this.#tries = 0;
      if (this.#isReplaying) return this.#on.connected(true);
      Object.assign(this.#me, { pid, offset: undefined });
      this.#on.connected(false, since);
    },
    2: ([name, data, offset]) => { // EVENT: what the server keeps in its log comes with its offset there
      this.#me.offset = offset ?? this.#me.offset;
      this.#on.event(name, data, this.#isReplaying);
    },
    3: ([answer], number) => { // ACK: the server answers nothing before it has replayed everything
      this.#isReplaying = false;
      this.#questions.get(number)?.(answer);
      this.#questions.delete(number);
    },
    4: ({ message }) => { // CONNECT_ERROR: it would not help to try again, unless by another name
      Object.assign(this.#me, { pid: undefined, offset: undefined });
      this.#hangUp();
      this.#on.refused(message);
    },
  };

  // A cable that was pulled out closes no connection. Only silence shows it: no ping when one was due.
  #watch() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#broken(), this.#timeout);
  }

  // Does not wait for the other side, which may be gone.
  #hangUp() {
    clearTimeout(this.#timer);
    this.#isInside = false;
    this.#questions.forEach((answer) => answer(LOST));
    this.#questions.clear();
    if (this.#socket) this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket?.close();
  }

  // Tries again after 0.5 s, 1 s, 2 s ... 15 s, each a little different: when a server comes back, its clients should
  // not all come at the same moment.
  #broken() {
    this.#hangUp();
    const delay = Math.min(15000, 500 * 2 ** this.#tries++) * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(() => this.connect(), delay);
    this.#on.broken(Math.ceil(delay / 1000));
  }
}
