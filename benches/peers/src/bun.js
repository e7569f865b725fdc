// Echoes every message, on Bun: `bun src/bun.js [deflate]`. Prints its port.
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("a WebSocket?", { status: 426 })),
  websocket: {
    perMessageDeflate: process.argv[2] === "deflate",
    message: (socket, message) => socket.send(message, process.argv[2] === "deflate"),
  },
});
console.log(server.port);
