// ws: `ws.mjs PORT BYTES RATE SECONDS`; its README's server broadcast.
import WebSocket, { WebSocketServer } from "ws";

import { publish, wish } from "./pace.mjs";

const asked = wish();
const server = new WebSocketServer({ host: "127.0.0.1", port: asked.port, backlog: 4096 });

function broadcast(text) {
  const message = Buffer.from(text);
  for (const viewer of server.clients) {
    if (viewer.readyState === WebSocket.OPEN) viewer.send(message, { binary: false });
  }
}

await publish(broadcast, asked);
