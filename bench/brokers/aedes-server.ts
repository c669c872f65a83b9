/** Aedes on free ports, which it prints; with a folder as its argument it keeps its data there. */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';
import openPersistence from 'aedes-persistence-level';
import { Level } from 'level';
import { createWebSocketStream, WebSocketServer } from 'ws';

const BACKLOG = 4096;

const folder = process.argv[2];
const broker = await Aedes.createBroker(
  folder === undefined ? {} : { persistence: openPersistence(new Level(folder)) },
);
const tcp = createServer({ noDelay: true }, (socket) => broker.handle(socket));
const http = createHttpServer();
const webSocket = new WebSocketServer({ server: http });
webSocket.on('connection', (socket, request) => {
  broker.handle(createWebSocketStream(socket), request);
});
const port = await listen(tcp);
const webSocketPort = await listen(http);
console.log(JSON.stringify({ port, webSocketPort }));
process.once('SIGTERM', () => process.exit(0));

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}
