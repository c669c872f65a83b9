/** Aedes on the port it is told, everything in memory; a program of its own. */
import { createServer } from 'node:net';

const BACKLOG = 4096;

const { Aedes } = await import('aedes');
const broker = await Aedes.createBroker();
const server = createServer({ noDelay: true }, (socket) => broker.handle(socket));
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: BACKLOG });
process.once('SIGTERM', () => process.exit(0));
