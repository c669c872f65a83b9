import { generate } from 'mqtt-packet';
import { connectPacket, type Misfit } from './misfit.js';

const TOPIC_BYTES_MAX = 65_535;
/** Fixed header of a PUBLISH that announces 268,435,455 bytes. */
const LARGEST_PUBLISH = Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f);
const FOREVER_MS = 3_600_000;
const LATE_SECONDS = 4;
/** Behind the fixed header, `MQTT` with its length, and the level. */
const CONNECT_FLAGS_AT = 9;
const CLEAN_SESSION = 2;
/** What a broker is asked to keep must have an end, or a leak could not be told from it. */
const ORPHANS_EACH = 20;

/** The misbehaving set: each has been seen in the field. */
export const misfits: readonly Misfit[] = [
  {
    name: 'storm',
    does: 'connects again without a pause, whatever it is told',
    opened: (stage) => stage.send(connectPacket(stage.name)),
    answered: (stage) => stage.reset(),
    againMs: 50,
  },
  {
    name: 'slowloris',
    does: 'sends its CONNECT a byte every two seconds',
    opened: (stage) => {
      const bytes = generate(connectPacket(stage.name.padEnd(200, 'x')));
      const step = (at: number): void => {
        stage.bytes(bytes.subarray(at, at + 1));
        if (at + 1 < bytes.length) stage.after(2_000, () => step(at + 1));
      };
      step(0);
    },
    againMs: 500,
  },
  {
    name: 'silent',
    does: 'opens a connection and says nothing',
    opened: () => {},
    againMs: 500,
  },
  {
    name: 'announces-268-megabytes',
    does: 'begins a packet of the largest length there is',
    opened: (stage) => stage.send(connectPacket(stage.name)),
    answered: (stage) => {
      stage.bytes(LARGEST_PUBLISH);
      const drip = (): void => {
        stage.bytes(new Uint8Array(1_000));
        stage.after(1_000, drip);
      };
      drip();
    },
    againMs: 1_000,
  },
  {
    name: 'longest-topic',
    does: 'publishes to a Topic Name of 65,535 levels',
    opened: (stage) => stage.send(connectPacket(stage.name)),
    answered: (stage) => {
      const topic = '/'.repeat(TOPIC_BYTES_MAX);
      stage.send({ cmd: 'publish', topic, payload: 'x', qos: 0, dup: false, retain: false });
    },
    againMs: 1_000,
  },
  {
    name: 'half-a-packet',
    does: 'stops in the middle of a PUBLISH',
    opened: (stage) => stage.send(connectPacket(stage.name, { keepalive: 4 })),
    answered: (stage) => stage.bytes(Uint8Array.of(0x30, 50, 0, 5, 0x61)),
    againMs: 1_000,
  },
  {
    name: 'keep-alive-cheater',
    does: 'promises a PINGREQ every two seconds and sends none',
    opened: (stage) => stage.send(connectPacket(stage.name, { keepalive: 2 })),
    againMs: 500,
  },
  {
    name: 'late-pinger',
    does: 'pings at 1.49 times its keep alive',
    opened: (stage) => stage.send(connectPacket(stage.name, { keepalive: LATE_SECONDS })),
    answered: (stage) => {
      const ping = (): void =>
        stage.after(1.49 * LATE_SECONDS * 1_000, () => {
          stage.send({ cmd: 'pingreq' });
          ping();
        });
      ping();
    },
    againMs: 500,
  },
  {
    name: 'vanishes',
    does: 'connects without a keep alive and is never heard of again',
    opened: (stage) => stage.send(connectPacket(stage.name)),
    againMs: 500,
  },
  {
    name: 'second-connect',
    does: 'sends CONNECT on a connection that is connected',
    opened: (stage) => stage.send(connectPacket(stage.name)),
    answered: (stage) => stage.send(connectPacket(stage.name)),
    againMs: 1_000,
  },
  {
    name: 'publish-first',
    does: 'publishes before it has connected',
    opened: (stage) => {
      const message = { qos: 0, dup: false, retain: false } as const;
      stage.send({ cmd: 'publish', topic: 'too/early', payload: 'x', ...message });
    },
    againMs: 1_000,
  },
  {
    name: 'hasty',
    does: 'subscribes and publishes behind CONNECT without waiting for CONNACK',
    opened: (stage) => {
      const topic = `${stage.name}/echo`;
      stage.send(connectPacket(stage.name));
      stage.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] });
      stage.send({ cmd: 'publish', topic, payload: 'x', qos: 0, dup: false, retain: false });
      stage.after(2_000, () => stage.reset());
    },
    againMs: 1_000,
  },
  {
    name: 'empty-identifier',
    does: 'asks for a persistent session without a Client Identifier',
    opened: (stage) => {
      const bytes = generate(connectPacket(''));
      // Clean Session, which no library lets one leave out here.
      bytes[CONNECT_FLAGS_AT] = bytes[CONNECT_FLAGS_AT]! & ~CLEAN_SESSION;
      stage.bytes(bytes);
    },
    againMs: 1_000,
  },
  {
    name: 'garbage',
    does: 'speaks another protocol',
    opened: (stage) => stage.bytes(Buffer.from('GET / HTTP/1.1\r\nHost: broker\r\n\r\n')),
    againMs: 1_000,
  },
  {
    name: 'wrong-password',
    does: 'tries the same wrong password for ever',
    opened: (stage) => {
      const password = Buffer.from('guess');
      stage.send(connectPacket(stage.name, { username: 'admin', password }));
      stage.after(5_000, () => stage.reset());
    },
    againMs: 1_000,
  },
  {
    name: 'orphans',
    does: 'asks for a persistent session under a new Client Identifier each time, twenty in all',
    opened: (stage) => {
      const clientId = `${stage.name}-${stage.attempt % ORPHANS_EACH}`;
      stage.send(connectPacket(clientId, { clean: false }));
      stage.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'orphan', qos: 1 }] });
      stage.after(2_000, () => stage.reset());
    },
    againMs: 1_000,
  },
  {
    name: 'unknown-acknowledgements',
    does: 'acknowledges what it never got',
    opened: (stage) => stage.send(connectPacket(stage.name)),
    answered: (stage) => {
      const step = (messageId: number): void => {
        stage.send({ cmd: 'puback', messageId });
        stage.send({ cmd: 'pubcomp', messageId });
        stage.after(200, () => step(messageId + 1));
      };
      step(1);
    },
    againMs: FOREVER_MS,
  },
  {
    name: 'stale-bytes',
    // Paho embedded C, MQTTClient.c:41: after half a write as many bytes again as the packet has.
    does: 'goes on after half a write with too many bytes, the rest of an older packet',
    opened: (stage) => stage.send(connectPacket(stage.name.padEnd(120, 'x'))),
    answered: (stage) => {
      const sendBuffer = generate(connectPacket(stage.name.padEnd(120, 'x')));
      const flags = { qos: 1, messageId: 1, dup: false, retain: false } as const;
      const topic = `${stage.name}/reading`;
      const packet = generate({ cmd: 'publish', topic, payload: '20.5', ...flags });
      packet.copy(sendBuffer);
      const half = packet.length >> 1;
      stage.bytes(sendBuffer.subarray(0, half));
      stage.bytes(sendBuffer.subarray(half, half + packet.length));
    },
    againMs: 1_000,
  },
];
