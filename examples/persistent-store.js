// Sessions and retained messages that survive the end of the program, kill -9 included.
//
//   node examples/persistent-store.js [folder]
//
// Run it several times: each run finds what the one before left.
import { createBroker } from 'dunlin';

const broker = await createBroker({ data: process.argv[2] ?? 'dunlin-data', durability: 'power' });
const client = await broker.client({ clientIdentifier: 'counter' });

const kept = await client.subscribe('example/runs', { qos: 1 });
// Retained messages come behind the SUBACK; this one comes behind them.
await client.publish('example/runs', 'end', { qos: 1 });
let runs = 0;
for await (const message of kept) {
  if (message.text() === 'end') break;
  runs = Number(message.text());
}
runs++;
// It resolves when the message is on the disk.
await client.publish('example/runs', `${runs}`, { qos: 1, retain: true });
console.log(`run number ${runs}`);
await broker.close();
