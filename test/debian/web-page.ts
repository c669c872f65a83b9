import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createRequire } from 'node:module';
import type { PairFiles } from '../support/certificates.js';

const mqttJs = readFileSync(createRequire(import.meta.url).resolve('mqtt/dist/mqtt.min'));

/** What the page can be told to do, beside all that MQTT.js can do. */
const SCRIPT = `
  const clients = {};

  /** Connects, and keeps what comes; resolves with CONNACK or with the reason why not. */
  function connect(name, url, options, subprotocols) {
    const withProtocols = subprotocols && {
      createWebsocket: (address) => new WebSocket(address, subprotocols),
    };
    const client = mqtt.connect(url, { reconnectPeriod: 0, ...options, ...withProtocols });
    const entry = { client, messages: [], ends: [], arrived: () => {} };
    clients[name] = entry;
    client.on('message', (topic, payload, packet) => {
      entry.messages.push([topic, payload.toString(), packet.qos]);
      entry.arrived();
    });
    client.on('disconnect', (packet) => entry.ends.push(packet.reasonCode));
    client.on('close', () => entry.arrived());
    return nextConnection(client);
  }

  function nextConnection(client) {
    return new Promise((resolve) => {
      client.once('connect', (packet) => resolve({
        reasonCode: packet.reasonCode ?? packet.returnCode,
        sessionPresent: packet.sessionPresent,
      }));
      client.once('error', (error) => resolve({ error: error.message }));
      client.once('close', () => resolve({ error: 'closed' }));
    });
  }

  /** With what waits for the broker; by itself MQTT.js would forget that. */
  function reconnect(name) {
    const { client } = clients[name];
    const { incomingStore, outgoingStore } = client;
    client.reconnect({ incomingStore, outgoingStore });
    return nextConnection(client);
  }

  async function until(name, condition) {
    const entry = clients[name];
    while (!condition(entry)) await new Promise((resolve) => { entry.arrived = resolve; });
  }

  async function messages(name, count) {
    await until(name, (entry) => entry.messages.length >= count);
    return clients[name].messages.splice(0);
  }

  function authData(token) {
    return { authenticationMethod: 'JWT', authenticationData: new TextEncoder().encode(token) };
  }

  function renew(name, token) {
    const { client } = clients[name];
    return new Promise((resolve) => {
      client.on('packetreceive', (packet) => {
        if (packet.cmd === 'auth') resolve(packet.reasonCode ?? 0);
      });
      client._sendPacket({ cmd: 'auth', reasonCode: 0x19, properties: authData(token) });
    });
  }
`;

const PAGE =
  '<!doctype html><title>Test</title><script src="mqtt.js"></script><script src="page.js"></script>';

export interface WebPage {
  readonly server: Server;
  readonly port: number;
}

/** Serves the page, under any name of this machine; with a certificate by HTTPS. */
export async function serveWebPage(files?: PairFiles): Promise<WebPage> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const isScript = request.url?.endsWith('.js') === true;
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    if (request.url === '/mqtt.js') response.end(mqttJs);
    else response.end(request.url === '/page.js' ? SCRIPT : PAGE);
  };
  const server =
    files === undefined
      ? createServer(answer)
      : createSecureServer({ cert: files.pem, key: readFileSync(files.key) }, answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}
