import { ReasonCode } from '../../../src/wire/reason-code.js';
import { flow } from '../harness/flow.js';

const REFUSED_TOPIC = 'secret';

// [3.1.1 MQTT-3.3.5-2]
flow(
  'an unauthorised PUBLISH before 5.0 is acknowledged or closed, and goes nowhere',
  [3, 4],
  async (run) => {
    refusePublish(run.harness.broker.hooks);
    const listening = await run.connected('listening');
    await run.subscribe(listening, '#', 2);
    const publisher = await run.connected('publisher');
    await publisher.send({ PUBLISH: { topic: REFUSED_TOPIC, qos: 1, id: 5, payload: 'x' } });
    await publisher.expectOneOf([{ PUBACK: { id: 5 } }], true);
    await listening.expectNothing();
  },
);

// [5.0 MQTT-3.4.2-1] [5.0 MQTT-3.3.4-1]
flow('an unauthorised PUBLISH of QoS 1 in 5.0 is refused in its PUBACK', [5], async (run) => {
  refusePublish(run.harness.broker.hooks);
  const publisher = await run.connected('publisher');
  await publisher.send({ PUBLISH: { topic: REFUSED_TOPIC, qos: 1, id: 5, payload: 'x' } });
  await publisher.expect({ PUBACK: { id: 5, reasonCode: ReasonCode.NotAuthorized } });
  await publisher.send('c0 00');
  await publisher.expect('d0 00');
});

// [5.0 MQTT-4.3.3-9] [5.0 MQTT-3.5.2-1]
flow('after a PUBREC of 0x80 or more the identifier means a new message', [5], async (run) => {
  refusePublish(run.harness.broker.hooks);
  const listening = await run.connected('listening');
  await run.subscribe(listening, '#', 2);
  const publisher = await run.connected('publisher');
  await publisher.send({ PUBLISH: { topic: REFUSED_TOPIC, qos: 2, id: 5, payload: 'x' } });
  await publisher.expect({ PUBREC: { id: 5, reasonCode: ReasonCode.NotAuthorized } });
  await publisher.send({ PUBLISH: { topic: 'open', qos: 2, id: 5, payload: 'new' } });
  await publisher.expect({ PUBREC: { id: 5, reasonCode: 0 } });
  await listening.expect({ PUBLISH: { topic: 'open', payload: 'new', qos: 2 } });
});

// [5.0 MQTT-4.9.0-2] [5.0 MQTT-3.3.4-7]
flow(
  'a refused PUBLISH does not use up the Receive Maximum',
  [5],
  async (run) => {
    refusePublish(run.harness.broker.hooks);
    const publisher = await run.connected('publisher');
    for (let id = 1; id <= 10; id++) {
      await publisher.send({ PUBLISH: { topic: REFUSED_TOPIC, qos: 2, id, payload: 'x' } });
      await publisher.expect({ PUBREC: { id, reasonCode: ReasonCode.NotAuthorized } });
    }
  },
  { limits: { receiveMaximum: 2 } },
);

// [5.0 MQTT-3.4.2-2] [5.0 MQTT-3.4.2-3] [5.0 MQTT-3.5.2-2] [5.0 MQTT-3.5.2-3] [5.0 MQTT-3.1.2-24]
flow('a refusal says why only where the client has room for it', [5], async (run) => {
  refusePublish(run.harness.broker.hooks);
  const properties = { maximumPacketSize: 24 };
  const publisher = await run.connected('publisher', { properties });
  await publisher.send({ PUBLISH: { topic: REFUSED_TOPIC, qos: 1, id: 1, payload: 'x' } });
  await publisher.expect({ PUBACK: { id: 1, reasonCode: ReasonCode.NotAuthorized } });
  await publisher.send({ PUBLISH: { topic: REFUSED_TOPIC, qos: 2, id: 2, payload: 'x' } });
  await publisher.expect({ PUBREC: { id: 2, reasonCode: ReasonCode.NotAuthorized } });
});

// [5.0 MQTT-3.1.2-29]
flow('a refusal says nothing but its code to a client that wants no more', [5], async (run) => {
  refusePublish(run.harness.broker.hooks);
  const properties = { requestProblemInformation: false };
  const publisher = await run.connected('publisher', { properties });
  await publisher.send({ PUBLISH: { topic: REFUSED_TOPIC, qos: 1, id: 1, payload: 'x' } });
  await publisher.expectOneOf(['40 03 0001 87', '40 04 0001 87 00']);
});

// [3.1.1 MQTT-3.9.3-2] [3.1.1 MQTT-3.9.3-1] [5.0 MQTT-3.9.3-1] [5.0 MQTT-3.8.4-7]
flow('an unauthorised filter fails among others that do not', [4, 5], async (run) => {
  run.harness.broker.hooks.authorizeSubscribe.add((_, { topicFilter }) =>
    topicFilter === REFUSED_TOPIC ? ReasonCode.NotAuthorized : ReasonCode.Success,
  );
  const client = await run.connected('client');
  await client.send("82 ## 0001 [5:00] s'a' 01 s'secret' 02 s'b' 00");
  await client.expect('90 ## 0001 [5:00] 01 [4:80] [5:87] 00');
});

// [3.1.1 MQTT-3.1.4-5] [3.1.1 MQTT-3.2.2-4] [3.1.1 MQTT-3.2.2-5] [5.0 MQTT-3.1.4-2] [5.0 MQTT-3.2.2-7]
flow('a client that is not authorised gets no session', [3, 4, 5], async (run) => {
  const { authenticate } = run.harness.broker.hooks;
  const removeHook = authenticate.add(() => ReasonCode.BadUserNameOrPassword);
  const client = run.client('client');
  const fields = { username: 'u', password: Buffer.from('p'), clean: false, expiry: 100 };
  await client.send({ CONNECT: fields });
  if (run.version !== 5) {
    await client.expectOneOf(['20 02 00 04', '20 02 00 05']);
    await client.expectClosed();
  } else await client.expectRefusal(['0x86', '0x87'], undefined);
  removeHook();
  await client.connect(fields, { sessionPresent: false });
});

// [3.1.1 MQTT-3.2.2-6]
flow('a refusal that 3.1.1 has no return code for closes without a CONNACK', [4], async (run) => {
  const client = run.client('client');
  await client.send("10 ## {protocol} 06 0000 s'client' s'a/+' s'gone'");
  await client.expectClosed();
});

interface PublishHook {
  readonly authorizePublish: {
    add(hook: (client: unknown, request: { readonly topicName: string }) => ReasonCode): unknown;
  };
}

function refusePublish(hooks: PublishHook): void {
  hooks.authorizePublish.add((_, { topicName }) =>
    topicName === REFUSED_TOPIC ? ReasonCode.NotAuthorized : ReasonCode.Success,
  );
}
