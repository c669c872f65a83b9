// Who may connect, and who may publish and subscribe where.
//
//   node examples/hooks.js [mqtt://127.0.0.1:1883]
//
// Every user has the topics below home/<user name>; only "admin" sees all of them.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createBroker, ReasonCode } from 'dunlin';

// A real program keeps slow, salted hashes (scrypt) and not these.
const passwordHashes = new Map([
  ['admin', hash('secret')],
  ['kitchen', hash('kettle')],
]);

const broker = await createBroker({ listen: [process.argv[2] ?? 'mqtt://127.0.0.1:1883'] });

broker.hooks.authenticate.add(async (_client, { userName, password }) => {
  // A hook may ask a database: only this client waits for the answer.
  const wanted = passwordHashes.get(userName ?? '');
  const known = wanted !== undefined && password !== undefined;
  return known && timingSafeEqual(wanted, hash(password))
    ? ReasonCode.Success
    : ReasonCode.BadUserNameOrPassword;
});

broker.hooks.authorizePublish.add((client, { topicName }) => judge(client, topicName));
broker.hooks.authorizeSubscribe.add((client, { topicFilter }) => judge(client, topicFilter));

broker.hooks.refused.add(({ client, reasonCode }) => {
  console.log(`refused ${client.userName ?? 'nobody'} with reason code ${reasonCode}`);
});

console.log(`listening on ${broker.addresses[0]}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => broker.close());

function judge({ userName }, topic) {
  const own = topic.startsWith(`home/${userName}/`);
  return own || userName === 'admin' ? ReasonCode.Success : ReasonCode.NotAuthorized;
}

function hash(password) {
  return createHash('sha256').update(password).digest();
}
