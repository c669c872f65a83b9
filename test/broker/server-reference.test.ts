import { expect } from 'vitest';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { flow } from '../conformance/harness/flow.js';

const ELSEWHERE = 'other.example:1883';

flow('an authenticate hook sends clients elsewhere', [5], async (run) => {
  const { hooks } = run.harness.broker;
  const seen: ReasonCode[] = [];
  hooks.refused.add(({ reasonCode }) => seen.push(reasonCode));
  hooks.authenticate.add(async ({ clientIdentifier }) => ({
    reasonCode: clientIdentifier === 'stays' ? ReasonCode.Success : ReasonCode.ServerMoved,
    serverReference: ELSEWHERE,
    reasonString: 'we have moved',
  }));
  const client = run.client('client');
  await client.send({ CONNECT: {} });
  await client.expect({
    CONNACK: {
      reasonCode: ReasonCode.ServerMoved,
      properties: { serverReference: ELSEWHERE, reasonString: 'we have moved' },
    },
  });
  await client.expectClosed();
  expect(seen).toEqual([ReasonCode.ServerMoved]);
  await run.connected('stays');
});

flow('earlier versions are refused without a reference', [3, 4], async (run) => {
  run.harness.broker.hooks.authenticate.add(() => ({
    reasonCode: ReasonCode.UseAnotherServer,
    serverReference: ELSEWHERE,
  }));
  const client = run.client('client');
  await client.send({ CONNECT: {} });
  await client.expect('20 02 00 03');
  await client.expectClosed();
});

flow('a shutdown names the server to go to', [5], async (run) => {
  const client = await run.connected('client');
  run.harness.broker.shutdown({ serverReference: ELSEWHERE });
  await client.expect({
    DISCONNECT: {
      reasonCode: ReasonCode.UseAnotherServer,
      properties: { serverReference: ELSEWHERE },
    },
  });
  await client.expectClosed();
});

flow('a shutdown without one', [5], async (run) => {
  const client = await run.connected('client');
  run.harness.broker.shutdown();
  await client.expect({
    DISCONNECT: {
      reasonCode: ReasonCode.ServerShuttingDown,
      properties: { serverReference: null },
    },
  });
  await client.expectClosed();
});
