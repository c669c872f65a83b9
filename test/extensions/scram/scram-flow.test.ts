import { beforeAll, expect } from 'vitest';
import {
  type ScramCredentials,
  scramCredentials,
} from '../../../src/extensions/scram/credentials.js';
import { scramSha256 } from '../../../src/extensions/scram/scram-sha-256.js';
import { ReasonCode } from '../../../src/wire/reason-code.js';
import { type Flow, flow } from '../../conformance/harness/flow.js';
import type { Link } from '../../conformance/harness/harness.js';
import {
  type DecodedPacket,
  decodePacket,
  encodePacket,
  type PacketFields,
} from '../../conformance/harness/packet.js';
import { ScramClient } from './scram-client.js';

const METHOD = 'SCRAM-SHA-256';
const users = new Map<string, ScramCredentials>();

beforeAll(async () => {
  users.set('kim', await scramCredentials('pencil', { iterations: 4096 }));
  users.set('lee', await scramCredentials('rubber', { iterations: 4096 }));
});

/** A client that speaks through mqtt-packet. */
class Peer {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  send(packet: PacketFields): Promise<void> {
    return this.#link.send(encodePacket(packet, 5, new Map()));
  }

  connect(authenticationData: Uint8Array): Promise<void> {
    const properties = { authenticationMethod: METHOD, authenticationData };
    return this.send({ CONNECT: { clientId: 'device', properties } });
  }

  auth(
    reasonCode: ReasonCode,
    authenticationData: Uint8Array,
    authenticationMethod = METHOD,
  ): Promise<void> {
    return this.send({
      AUTH: { reasonCode, properties: { authenticationMethod, authenticationData } },
    });
  }

  async take(): Promise<DecodedPacket> {
    const { inbox } = this.#link;
    await this.#link.until(() => inbox.packetLength() !== undefined);
    return decodePacket(inbox.take(inbox.packetLength() ?? 0), 5);
  }

  /** The data of the next packet, which is of this type and has this Reason Code. */
  async data(type: string, reasonCode: ReasonCode): Promise<Uint8Array> {
    const packet = await this.take();
    expect(packet).toMatchObject({ type, fields: { reasonCode } });
    const { authenticationMethod, authenticationData } = packet.fields['properties'] as {
      authenticationMethod: string;
      authenticationData: Uint8Array;
    };
    expect(authenticationMethod).toBe(METHOD);
    return authenticationData;
  }

  async expectEnd(type: string, reasonCode: ReasonCode): Promise<void> {
    expect(await this.take()).toMatchObject({ type, fields: { reasonCode } });
    await this.expectClosed();
  }

  async expectClosed(): Promise<void> {
    await this.#link.until(() => this.#link.closed);
    expect(this.#link.closed).toBe(true);
    expect(this.#link.inbox.length).toBe(0);
  }
}

async function open(run: Flow): Promise<Peer> {
  run.harness.broker.addAuthenticationMethod(
    scramSha256({ credentials: async (userName) => users.get(userName), iterations: 4096 }),
  );
  return new Peer(await run.harness.open());
}

async function connected(run: Flow): Promise<Peer> {
  const peer = await open(run);
  const scram = new ScramClient('kim', 'pencil', 'one');
  await peer.connect(scram.first());
  const challenge = await peer.data('AUTH', ReasonCode.ContinueAuthentication);
  await peer.auth(ReasonCode.ContinueAuthentication, scram.final(challenge));
  const final = await peer.data('CONNACK', ReasonCode.Success);
  expect(Buffer.from(final).toString()).toBe(scram.serverFinal);
  return peer;
}

flow('SCRAM lets a client in and names it to the hooks', [5], async (run) => {
  const names: (string | undefined)[] = [];
  run.harness.broker.hooks.connected.add(({ userName }) => names.push(userName));
  await connected(run);
  expect(names).toEqual(['kim']);
});

for (const [what, name] of [
  ['a wrong password', 'kim'],
  ['an unknown user', 'nobody'],
] as const) {
  flow(`SCRAM does not let in ${what}`, [5], async (run) => {
    const peer = await open(run);
    const scram = new ScramClient(name, 'wrong', 'one');
    await peer.connect(scram.first());
    const challenge = await peer.data('AUTH', ReasonCode.ContinueAuthentication);
    await peer.auth(ReasonCode.ContinueAuthentication, scram.final(challenge));
    await peer.expectEnd('CONNACK', ReasonCode.NotAuthorized);
    expect(run.harness.broker.sessions.count).toBe(0);
  });
}

flow('SCRAM is not to be gone around by another packet', [5], async (run) => {
  const peer = await open(run);
  await peer.connect(new ScramClient('kim', 'pencil', 'one').first());
  await peer.data('AUTH', ReasonCode.ContinueAuthentication);
  await peer.send({ PUBLISH: { topic: 't' } });
  await peer.expectClosed();
  expect(run.harness.broker.sessions.count).toBe(0);
});

flow('SCRAM in a session that goes on', [5], async (run) => {
  const peer = await connected(run);
  for (const nonce of ['two', 'three']) {
    const scram = new ScramClient('kim', 'pencil', nonce);
    await peer.auth(ReasonCode.ReAuthenticate, scram.first());
    const challenge = await peer.data('AUTH', ReasonCode.ContinueAuthentication);
    await peer.send({ PINGREQ: {} });
    expect((await peer.take()).type).toBe('PINGRESP');
    await peer.auth(ReasonCode.ContinueAuthentication, scram.final(challenge));
    const final = await peer.data('AUTH', ReasonCode.Success);
    expect(Buffer.from(final).toString()).toBe(scram.serverFinal);
  }
});

flow('a password that has become wrong ends the session’s connection', [5], async (run) => {
  const peer = await connected(run);
  const scram = new ScramClient('kim', 'crayon', 'two');
  await peer.auth(ReasonCode.ReAuthenticate, scram.first());
  const challenge = await peer.data('AUTH', ReasonCode.ContinueAuthentication);
  await peer.auth(ReasonCode.ContinueAuthentication, scram.final(challenge));
  await peer.expectEnd('DISCONNECT', ReasonCode.NotAuthorized);
});

flow('re-authentication as somebody else', [5], async (run) => {
  const peer = await connected(run);
  const scram = new ScramClient('lee', 'rubber', 'two');
  await peer.auth(ReasonCode.ReAuthenticate, scram.first());
  const challenge = await peer.data('AUTH', ReasonCode.ContinueAuthentication);
  await peer.auth(ReasonCode.ContinueAuthentication, scram.final(challenge));
  await peer.expectEnd('DISCONNECT', ReasonCode.NotAuthorized);
});

flow('re-authentication by another method', [5], async (run) => {
  const peer = await connected(run);
  await peer.auth(ReasonCode.ReAuthenticate, Buffer.from('x'), 'OTHER');
  await peer.expectEnd('DISCONNECT', ReasonCode.ProtocolError);
});

for (const [what, throwing] of [
  [
    'throws',
    () => {
      throw new Error('no database');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no database'))],
] as const) {
  flow(`a lookup that ${what} refuses the client alone`, [5], async (run) => {
    run.harness.broker.addAuthenticationMethod(scramSha256({ credentials: throwing }));
    const peer = new Peer(await run.harness.open());
    await peer.connect(new ScramClient('kim', 'pencil', 'one').first());
    await peer.expectEnd('CONNACK', ReasonCode.UnspecifiedError);
  });
}
