// Publishing and subscribing without a socket: the program that holds the broker is a client too.
//
//   node examples/in-process-client.js
import { createBroker } from 'dunlin';

const broker = await createBroker();
const thermostat = await broker.client({ clientIdentifier: 'thermostat' });
const readings = await thermostat.subscribe('home/+/temperature', { qos: 1 });

const sensor = await broker.client({ clientIdentifier: 'sensor' });
for (const [room, degrees] of Object.entries({ kitchen: 19.5, bath: 23, attic: 12 })) {
  await sensor.publish(`home/${room}/temperature`, `${degrees}`, { qos: 1 });
}

let left = 3;
// A message is acknowledged when the loop asks for the next one.
for await (const message of readings) {
  const heat = Number(message.text()) < 20;
  console.log(`${message.topicName} is ${message.text()}: heating ${heat ? 'on' : 'off'}`);
  if (--left === 0) break;
}
await broker.close();
