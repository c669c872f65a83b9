// A broker inside your own program.
//
//   node examples/embed.js [mqtt://127.0.0.1:1883]
//
// Try it with any MQTT client. Ctrl-C says goodbye to the clients and ends.
import { createBroker } from 'dunlin';

const broker = await createBroker({ listen: [process.argv[2] ?? 'mqtt://127.0.0.1:1883'] });
console.log(`listening on ${broker.addresses[0]}`);

broker.hooks.connected.add(({ clientIdentifier, address }) => {
  console.log(`${clientIdentifier} came from ${address}`);
});
broker.hooks.disconnected.add(({ client }) => {
  console.log(`${client.clientIdentifier} left`);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => broker.close());
