// Node's socket.io with the two events that the load uses, recovery on as ours has it.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer();
const io = new Server(http, { connectionStateRecovery: { maxDisconnectionDuration: 120_000 } });
io.on("connection", (socket) => {
  if (!socket.recovered) socket.emit("auth", socket.handshake.auth);
  socket.on("join", (room, ack) => {
    socket.join(room);
    ack({ ok: true });
  });
  socket.on("say", (room, msg, ack) => {
    socket.to(room).emit("said", { room, from: socket.id, msg });
    ack({ ok: true });
  });
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
