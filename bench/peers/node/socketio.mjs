// Socket.IO: `socketio.mjs PORT BYTES RATE SECONDS`; an event of the batch to everybody.
import { createServer } from "node:http";

import { Server } from "socket.io";

import { publish, wish } from "./pace.mjs";

const asked = wish();
const http = createServer();
const io = new Server(http, { transports: ["websocket"] });
http.listen({ host: "127.0.0.1", port: asked.port, backlog: 4096 });

await publish((text) => io.emit("batch", JSON.parse(text)), asked);
