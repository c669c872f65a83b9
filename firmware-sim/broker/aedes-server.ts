/** Aedes on the port it is told, in memory or in the folder it is told; a program of its own. */
import { createServer } from 'node:net';

const BACKLOG = 4096;

const [, , port, folder] = process.argv;
const { Aedes } = await import('aedes');
const broker = await Aedes.createBroker(folder === undefined ? {} : await keeping(folder));
const server = createServer({ noDelay: true }, (socket) => broker.handle(socket));
server.listen({ port: Number(port), host: '127.0.0.1', backlog: BACKLOG });
process.once('SIGTERM', () => process.exit(0));

async function keeping(location: string) {
  const { default: openPersistence } = await import('aedes-persistence-level');
  const { Level } = await import('level');
  return { persistence: openPersistence(new Level(location)) };
}
