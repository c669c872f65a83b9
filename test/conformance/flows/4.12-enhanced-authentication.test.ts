import type { AuthenticationMethod } from '../../../src/broker/authentication.js';
import { ReasonCode } from '../../../src/wire/reason-code.js';
import type { CaseClient } from '../harness/case-client.js';
import { type Flow, flow } from '../harness/flow.js';

/** Asks once; `yes` is the right answer. */
const method: AuthenticationMethod = {
  name: 'ASK',
  begin: () => {
    let asked = false;
    return {
      step: (data) => {
        const answer = data === undefined ? '' : new TextDecoder().decode(data);
        if (!asked) {
          asked = true;
          return { kind: 'challenge', data: new TextEncoder().encode('sure?') };
        }
        if (answer === 'yes') return { kind: 'success', data: undefined, userName: 'somebody' };
        const sentence = 'the answer was not yes';
        return { kind: 'refusal', reasonCode: ReasonCode.NotAuthorized, sentence };
      },
    };
  },
};

const CHALLENGE = {
  AUTH: {
    reasonCode: '0x18',
    properties: { authenticationMethod: 'ASK', authenticationData: 'sure?' },
  },
};

// [5.0 MQTT-4.12.0-2] [5.0 MQTT-4.12.0-5] [5.0 MQTT-3.2.0-1] [5.0 MQTT-3.15.2-1]
flow('AUTH goes to and fro before CONNACK, always with the method', [5], async (run) => {
  await authenticated(run);
});

// [5.0 MQTT-4.12.0-4] [5.0 MQTT-3.2.2-7]
flow('a server that refuses the authentication closes', [5], async (run) => {
  const client = await challenged(run);
  await client.send("f0 ## 18 <15 s'ASK' 16 s'no'>");
  await client.expectRefusal(['0x87', '0x86', '0x8c'], undefined);
});

// [5.0 MQTT-4.12.0-3]
flow('an answer with another Reason Code than 0x18', [5], async (run) => {
  const client = await challenged(run);
  await client.send("f0 ## 19 <15 s'ASK' 16 s'yes'>");
  await client.expectRefusal(['0x82', '0x81'], undefined);
});

// [5.0 MQTT-4.12.0-5]
flow('an answer with another method', [5], async (run) => {
  const client = await challenged(run);
  await client.send("f0 ## 18 <15 s'TELL' 16 s'yes'>");
  await client.expectRefusal(['0x82', '0x8c', '0x81'], undefined);
});

// [5.0 MQTT-4.12.0-5]
flow('an answer without a method', [5], async (run) => {
  const client = await challenged(run);
  await client.send('f0 ## 18 00');
  await client.expectRefusal(['0x82', '0x8c', '0x81'], undefined);
});

// [5.0 MQTT-3.1.2-30] [5.0 MQTT-3.1.4-6]
flow('nothing but AUTH and DISCONNECT comes before CONNACK', [5], async (run) => {
  const listening = await run.connected('listening');
  await run.subscribe(listening, 't', 0);
  const client = await challenged(run);
  await client.send("30 ## s't' 00 'x'");
  await client.expectRefusal(['0x82', '0x81'], undefined);
  await listening.expectNothing();
});

// [5.0 MQTT-3.1.2-30]
flow('a client may give up with DISCONNECT before CONNACK', [5], async (run) => {
  const client = await challenged(run);
  await client.send('e0 00');
  await client.expectClosed();
});

// [5.0 MQTT-4.12.1-1] [5.0 MQTT-4.12.0-5]
flow('re-authentication leaves the connection as it is', [5], async (run) => {
  const client = await authenticated(run);
  await run.subscribe(client, 't', 0);
  await client.send("f0 ## 19 <15 s'ASK'>");
  await client.expect(CHALLENGE);
  const other = await run.connected('other');
  await other.send("30 ## s't' 00 'x'");
  await client.expect("30 ## s't' 00 'x'");
  await client.send("f0 ## 18 <15 s'ASK' 16 s'yes'>");
  await client.expect({
    AUTH: { reasonCode: 0, properties: { authenticationMethod: 'ASK' } },
  });
  await client.expectNothing();
});

// [5.0 MQTT-4.12.1-1]
flow('re-authentication with another method', [5], async (run) => {
  const client = await authenticated(run);
  await client.send("f0 ## 19 <15 s'TELL'>");
  await client.expectFault(['0x82', '0x8c']);
});

// [5.0 MQTT-4.12.1-2] [5.0 MQTT-4.13.2-1]
flow('a re-authentication that fails closes the connection', [5], async (run) => {
  const client = await authenticated(run);
  await client.send("f0 ## 19 <15 s'ASK'>");
  await client.expect(CHALLENGE);
  await client.send("f0 ## 18 <15 s'ASK' 16 s'no'>");
  await client.expectFault(['0x87']);
});

// [5.0 MQTT-3.15.2-2] [5.0 MQTT-3.15.2-3] [5.0 MQTT-3.1.2-24]
flow('AUTH stays below a small Maximum Packet Size', [5], async (run) => {
  run.harness.broker.addAuthenticationMethod(method);
  const client = run.client('client');
  const properties = { authenticationMethod: 'ASK', maximumPacketSize: 40 };
  await client.send({ CONNECT: { properties } });
  await client.expect(CHALLENGE);
  await client.send("f0 ## 18 <15 s'ASK' 16 s'yes'>");
  await client.expect({ CONNACK: { reasonCode: 0 } });
});

async function challenged(run: Flow): Promise<CaseClient> {
  run.harness.broker.addAuthenticationMethod(method);
  const client = run.client('client');
  await client.send({ CONNECT: { properties: { authenticationMethod: 'ASK' } } });
  await client.expect(CHALLENGE);
  return client;
}

async function authenticated(run: Flow): Promise<CaseClient> {
  const client = await challenged(run);
  await client.send("f0 ## 18 <15 s'ASK' 16 s'yes'>");
  await client.expect({
    CONNACK: { reasonCode: 0, properties: { authenticationMethod: 'ASK' } },
  });
  return client;
}
