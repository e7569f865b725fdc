// Echoes every message, with ws on Node: `node src/ws.cjs [deflate]`. Prints its port.
const { WebSocketServer } = require("ws");
const deflate = process.argv[2] === "deflate" && { threshold: 0, zlibDeflateOptions: { level: 6 } };
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: deflate }, () => {
  console.log(server.address().port);
});
server.on("connection", (socket) => {
  socket.on("message", (message, binary) => socket.send(message, { binary }));
});
