// The npm package `ws` against netlayers. `client URL`: sends, checks the echoes, pings, closes. `server`: echoes.
const WebSocket = require('ws');
const [role, url] = process.argv.slice(2);

if (role === 'server') {
  const server = new WebSocket.WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true }, () => {
    console.log(`listening on 127.0.0.1:${server.address().port}`);
  });
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
} else {
  const messages = ['', 'hello', 'äöü €', 'x'.repeat(70000), Buffer.from([0, 255, 1]), Buffer.alloc(300000, 7)];
  const socket = new WebSocket(url, { perMessageDeflate: { threshold: 0 } });
  let at = 0;
  socket.on('open', () => {
    console.log(`extensions: ${socket.extensions}`);
    socket.ping('are you there');
    messages.forEach((message) => socket.send(message));
  });
  socket.on('pong', (data) => console.log(`pong: ${data}`));
  socket.on('message', (data, isBinary) => {
    const sent = messages[at++];
    const same = Buffer.from(sent).equals(data) && isBinary === (typeof sent !== 'string');
    if (!same) {
      console.log(`message ${at} differs`);
      process.exit(1);
    }
    if (at === messages.length) socket.close(4000, 'done');
  });
  socket.on('close', (code) => console.log(`echoed: ${at}, closed: ${code}`));
}
