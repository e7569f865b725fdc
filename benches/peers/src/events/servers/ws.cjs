// Node's ws: what one client sends, all others get. Neither rooms nor events.
const { WebSocketServer } = require("ws");

const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    for (const other of server.clients) {
      if (other !== socket) other.send(data, { binary: false });
    }
  });
});
server.on("listening", () => console.log(server.address().port));
