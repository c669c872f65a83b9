import type { IPublishPacket, QoS } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { type Behaviour, PLAIN } from '../../../firmware-sim/device/behaviour.js';
import { Device, type DeviceOptions } from '../../../firmware-sim/device/device.js';
import { behaviourOf, libraries } from '../../../firmware-sim/device/libraries.js';
import { FakeBroker } from '../support/fake-broker.js';
import { FarEnd } from '../support/far-end.js';
import { VirtualClock } from '../support/virtual-clock.js';

const SUBSCRIPTIONS: DeviceOptions['subscriptions'] = [{ topic: 'cmd/#', qos: 2 }];

function start(behaviour: Behaviour, more: Partial<DeviceOptions> = {}) {
  const clock = new VirtualClock();
  const far = new FarEnd();
  const broker = new FakeBroker(far, behaviour.version);
  const messages: string[] = [];
  const device = new Device({
    clientIdentifier: 'dev',
    behaviour,
    clock,
    dial: far.dial,
    onMessage: ({ payload }) => messages.push(payload.toString()),
    ...more,
  });
  device.start();
  return { clock, far, broker, device, messages };
}

function started(behaviour: Behaviour, more: Partial<DeviceOptions> = {}, sessionPresent = false) {
  const parts = start(behaviour, more);
  expect(parts.broker.names()[0]).toBe('connect');
  accept(parts.broker, sessionPresent);
  return parts;
}

function accept(broker: FakeBroker, sessionPresent: boolean): void {
  broker.send({ cmd: 'connack', returnCode: 0, reasonCode: 0, sessionPresent });
}

function publish(qos: QoS, payload: string, messageId = 5, topic = 'cmd/x'): IPublishPacket {
  return { cmd: 'publish', topic, payload, qos, messageId, dup: false, retain: false };
}

test('it connects, subscribes, publishes and is acknowledged', () => {
  const { clock, broker, device } = started(PLAIN, { subscriptions: SUBSCRIPTIONS });
  expect(broker.names()).toEqual(['subscribe']);
  broker.send({ cmd: 'suback', messageId: 1, granted: [2] });
  device.publish({ topic: 't', payload: 'one', qos: 1 });
  clock.advance(40);
  expect(broker.take()).toMatchObject([{ cmd: 'publish', qos: 1, dup: false, messageId: 2 }]);
  broker.send({ cmd: 'puback', messageId: 2 });
  expect(device.report).toMatchObject({ connections: 1, published: 1, acknowledged: 1 });
  expect(device.report.ackMs.values).toEqual([40]);
  expect(device.waiting).toBe(0);
});

test('QoS 2 both ways: each message once', () => {
  const { broker, device, messages } = started(PLAIN);
  device.publish({ topic: 't', payload: 'up', qos: 2 });
  broker.send({ cmd: 'pubrec', messageId: 1 });
  broker.send({ cmd: 'pubcomp', messageId: 1 });
  expect(broker.names()).toEqual(['publish', 'pubrel']);
  expect(device.waiting).toBe(0);
  broker.send(publish(2, 'down'));
  broker.send({ ...publish(2, 'down'), dup: true });
  broker.send({ cmd: 'pubrel', messageId: 5 });
  broker.send({ cmd: 'pubrel', messageId: 5 });
  expect(broker.names()).toEqual(['pubrec', 'pubrec', 'pubcomp', 'pubcomp']);
  expect(messages).toEqual(['down']);
});

test('after an end it comes back and sends again with DUP what was not acknowledged', () => {
  const { clock, far, broker, device } = started({ ...PLAIN, clean: false });
  device.publish({ topic: 't', payload: 'one', qos: 1 });
  device.publish({ topic: 't', payload: 'two', qos: 2 });
  broker.send({ cmd: 'pubrec', messageId: 2 });
  broker.take();
  far.close(false);
  clock.advance(999);
  expect(far.dials).toBe(1);
  clock.advance(1);
  expect(far.dials).toBe(2);
  broker.take();
  accept(broker, true);
  expect(broker.take()).toMatchObject([
    { cmd: 'publish', dup: true, messageId: 1 },
    { cmd: 'pubrel', messageId: 2 },
  ]);
  expect(device.report).toMatchObject({ resent: 2, sessionsResumed: 1 });
});

test('without a session they are new messages', () => {
  const { clock, far, broker, device } = started({ ...PLAIN, clean: false });
  device.publish({ topic: 't', payload: 'one', qos: 1 });
  broker.take();
  far.close(true);
  clock.advance(1_000);
  broker.take();
  accept(broker, false);
  expect(broker.take()).toMatchObject([{ cmd: 'publish', dup: false }]);
  expect([...device.report.drops]).toEqual([['connection reset', 1]]);
});

test('a reboot loses the state, unless it is kept', () => {
  for (const [keeps, expected] of [
    [true, 1],
    [false, 0],
  ] as const) {
    const { broker, device, far } = started({ ...PLAIN, clean: false });
    device.publish({ topic: 't', payload: 'one', qos: 1 });
    device.reboot(keeps);
    expect(far.wasReset).toBe(false);
    expect(far.dials).toBe(2);
    expect(device.waiting).toBe(expected);
    broker.take();
  }
});

test('back-off grows to its limit and begins anew after CONNACK', () => {
  const { clock, far, broker } = start({
    ...PLAIN,
    reconnect: { firstMs: 100, factor: 2, maxMs: 300 },
  });
  const dialsAfter = (ms: number) => {
    clock.advance(ms);
    return far.dials;
  };
  far.close(false);
  expect([dialsAfter(99), dialsAfter(1)]).toEqual([1, 2]);
  far.close(false);
  expect([dialsAfter(199), dialsAfter(1)]).toEqual([2, 3]);
  far.close(false);
  expect([dialsAfter(299), dialsAfter(1)]).toEqual([3, 4]);
  broker.take();
  accept(broker, false);
  far.close(false);
  expect([dialsAfter(99), dialsAfter(1)]).toEqual([4, 5]);
});

test('PubSubClient drops what is larger than its buffer and never acknowledges it', () => {
  const { broker, device, messages } = started(behaviourOf('pubsubclient'));
  broker.send(publish(1, 'x'.repeat(300), 1));
  broker.send(publish(1, 'small', 2));
  expect(broker.take()).toMatchObject([{ cmd: 'puback', messageId: 2 }]);
  expect([messages, device.report.oversize]).toEqual([['small'], 1]);
});

test('arduino-mqtt closes on it, and comes back for it', () => {
  const { clock, far, broker, device } = started(behaviourOf('arduino-mqtt'));
  broker.send(publish(1, 'x'.repeat(200), 1));
  expect(far.ended).toBe(true);
  expect([...device.report.drops.keys()]).toEqual(['packet larger than the buffer']);
  clock.advance(1_000);
  expect(far.dials).toBe(2);
});

test('arduino-mqtt gives up when an acknowledgement takes a second', () => {
  const { clock, broker, device } = started(behaviourOf('arduino-mqtt'));
  device.publish({ topic: 't', payload: 'one', qos: 1 });
  clock.advance(999);
  expect(device.report.dropCount).toBe(0);
  clock.advance(1);
  expect([...device.report.drops.keys()]).toEqual(['no acknowledgement in time']);
  expect(broker.names()).toContain('publish');
});

test('arduino-mqtt sends header and payload in two writes', () => {
  const { far, device } = started(behaviourOf('arduino-mqtt'));
  far.written.length = 0;
  device.publish({ topic: 't', payload: 'payload', qos: 0 });
  expect(far.written.map((bytes) => bytes.length)).toEqual([5, 7]);
  expect(far.written[1]!.toString()).toBe('payload');
});

test('coreMQTT 5 sends each field as a write of its own and tells its buffer', () => {
  const { far, broker, device } = start(behaviourOf('coremqtt-5'), {
    subscriptions: SUBSCRIPTIONS,
  });
  expect(broker.take()).toMatchObject([
    { cmd: 'connect', properties: { maximumPacketSize: 1024 } },
  ]);
  far.written.length = 0;
  accept(broker, false);
  // PINGREQ, and five of SUBSCRIBE.
  expect(far.written.length).toBe(6);
  device.publish({ topic: 'ab', payload: 'payload', qos: 1 });
  expect(far.written.slice(6).map((bytes) => bytes.length)).toEqual([2, 2, 2, 3, 7]);
});

test('PubSubClient streaming writes byte by byte', () => {
  const { far, device } = started(behaviourOf('pubsubclient-streaming'));
  far.written.length = 0;
  device.publish({ topic: 't', payload: 'abc', qos: 0 });
  expect(far.written.map((bytes) => bytes.length)).toEqual(Array(8).fill(1));
});

test('MQTT-C sends SUBSCRIBE in the segment of CONNECT', () => {
  const { far, broker } = start(behaviourOf('mqtt-c'), { subscriptions: SUBSCRIPTIONS });
  expect(far.written.length).toBe(1);
  expect(broker.names()).toEqual(['connect', 'subscribe']);
});

test('esp-mqtt sends the oldest again each second, SUBSCRIBE included', () => {
  const { clock, broker, device } = started(behaviourOf('esp-mqtt'), {
    subscriptions: SUBSCRIPTIONS,
  });
  device.publish({ topic: 't', payload: 'one', qos: 1 });
  expect(broker.names()).toEqual(['subscribe', 'publish']);
  clock.advance(1_100);
  expect(broker.names()).toEqual(['subscribe']);
  broker.send({ cmd: 'suback', messageId: 1, granted: [2] });
  clock.advance(250);
  expect(broker.take()).toMatchObject([{ cmd: 'publish', dup: true }]);
  expect(device.connected).toBe(true);
});

test('MQTT-C sends QoS 2 again without DUP', () => {
  const { clock, broker, device } = started(behaviourOf('mqtt-c'));
  device.publish({ topic: 't', payload: 'one', qos: 2 });
  broker.take();
  clock.advance(37_500);
  expect(broker.take()).toMatchObject([{ cmd: 'publish', dup: false, messageId: 1 }]);
});

test('a PUBREL that MQTT-C does not know ends its connection', () => {
  const { broker, device } = started(behaviourOf('mqtt-c'));
  broker.send({ cmd: 'pubrel', messageId: 77 });
  expect(device.report.dropCount).toBe(1);
});

test('MQTT-C has forgotten what was under way when it comes back to its session', () => {
  const { clock, far, broker, device, messages } = started({
    ...behaviourOf('mqtt-c'),
    clean: false,
  });
  device.publish({ topic: 't', payload: 'one', qos: 1 });
  broker.send(publish(2, 'down'));
  broker.take();
  far.close(false);
  clock.advance(1_000);
  expect(broker.names()).toEqual(['connect']);
  accept(broker, true);
  expect([broker.names(), device.waiting]).toEqual([[], 0]);
  broker.send({ ...publish(2, 'down'), dup: true });
  expect(broker.names()).toEqual(['pubrec']);
  broker.send({ cmd: 'pubrel', messageId: 5 });
  expect(broker.names()).toEqual(['pubcomp']);
  expect(messages).toEqual(['down', 'down']);
  far.close(false);
  clock.advance(1_000);
  accept(broker, true);
  broker.send({ cmd: 'pubrel', messageId: 5 });
  expect([...device.report.drops]).toEqual([
    ['closed by the other side', 2],
    ['PUBREL of unknown', 1],
  ]);
});

test('espMqttClient takes PUBACK in order only, and leaves PUBREL of unknown unanswered', () => {
  const { broker, device } = started(behaviourOf('espmqttclient'));
  for (const payload of ['one', 'two']) device.publish({ topic: 't', payload, qos: 1 });
  broker.take();
  broker.send({ cmd: 'puback', messageId: 2 });
  expect(device.waiting).toBe(2);
  broker.send({ cmd: 'puback', messageId: 1 });
  broker.send({ cmd: 'puback', messageId: 2 });
  expect(device.waiting).toBe(0);
  broker.send({ cmd: 'pubrel', messageId: 77 });
  expect(broker.names()).toEqual([]);
});

test('AsyncMqttClient has one packet under way, SUBSCRIBE included, and ignores long topics', () => {
  const { broker, device, messages } = started(behaviourOf('async-mqtt-client'), {
    subscriptions: SUBSCRIPTIONS,
  });
  for (const payload of ['one', 'two']) device.publish({ topic: 't', payload, qos: 1 });
  expect(broker.names()).toEqual(['subscribe']);
  broker.send({ cmd: 'suback', messageId: 1, granted: [2] });
  expect(broker.names()).toEqual(['publish']);
  broker.send(publish(1, 'x', 9, 't'.repeat(129)));
  expect([broker.names(), messages]).toEqual([[], []]);
});

test('lwIP needs the head of a PUBLISH in one segment, the rest may follow', () => {
  const whole = started(behaviourOf('lwip'));
  whole.broker.send(publish(1, 'payload', 1));
  expect(whole.messages).toEqual(['payload']);
  const packet = Buffer.from('32100005636d642f780001', 'hex');
  const split = started(behaviourOf('lwip'));
  split.far.send(packet);
  split.far.send('payload');
  expect(split.messages).toEqual(['payload']);
  const broken = started(behaviourOf('lwip'));
  broken.far.send(packet.subarray(0, 6));
  broken.far.send(Buffer.concat([packet.subarray(6), Buffer.from('payload')]));
  expect([...broken.device.report.drops.keys()]).toEqual(['header split between segments']);
});

test('coreMQTT gives up when CONNACK comes in pieces, esp-mqtt when any packet pauses', () => {
  const core = start(behaviourOf('coremqtt-2'));
  core.far.send(Buffer.from([0x20]));
  core.clock.advance(10);
  expect([...core.device.report.drops.keys()]).toEqual(['packet paused in the middle']);
  const esp = started(behaviourOf('esp-mqtt'));
  esp.far.send(Buffer.from([0x30, 10, 0]));
  esp.clock.advance(999);
  expect(esp.device.report.dropCount).toBe(0);
  esp.clock.advance(1);
  expect(esp.device.report.dropCount).toBe(1);
});

test.each([
  // After the whole keep alive, after a share of it, after thirty seconds at the latest.
  ['pubsubclient', 15_000],
  ['async-mqtt-client', 10_500],
  ['wolfmqtt', 45_000],
  ['esp-mqtt', 60_000],
  ['coremqtt-2', 30_000],
])('%s sends PINGREQ after %i ms', (name, dueMs) => {
  const { clock, broker } = started({ ...behaviourOf(name), pingsAtOnce: false });
  clock.advance(dueMs - 1);
  expect(broker.names()).toEqual([]);
  clock.advance(1);
  expect(broker.names()).toEqual(['pingreq']);
});

test('Mongoose never sends one', () => {
  const { clock, broker } = started(behaviourOf('mongoose'));
  clock.advance(86_400_000);
  expect(broker.names()).toEqual([]);
});

test('what is sent puts PINGREQ off, except with esp-mqtt', () => {
  const plain = started(PLAIN);
  const esp = started(behaviourOf('esp-mqtt'));
  for (const { clock, device } of [plain, esp]) {
    clock.advance(40_000);
    device.publish({ topic: 't', payload: '', qos: 0 });
    clock.advance(25_000);
  }
  expect(plain.broker.names()).toEqual(['publish']);
  expect(esp.broker.names()).toEqual(['publish', 'pingreq']);
});

test('NetX Duo waits a second for PINGRESP', () => {
  const { clock, broker, device } = started(behaviourOf('netx-duo'));
  clock.advance(58_800);
  expect(broker.names()).toEqual(['pingreq']);
  clock.advance(400);
  broker.send({ cmd: 'pingresp' });
  expect(device.report.pingrespMs.values).toEqual([400]);
  clock.advance(58_400);
  clock.advance(1_000);
  expect([...device.report.drops.keys()]).toEqual(['no PINGRESP in time']);
});

test('a broker that sets another keep alive is obeyed', () => {
  const { clock, broker } = start({ ...PLAIN, version: 5 });
  broker.take();
  broker.send({
    cmd: 'connack',
    reasonCode: 0,
    sessionPresent: false,
    properties: { serverKeepAlive: 10 },
  });
  clock.advance(10_000);
  expect(broker.names()).toEqual(['pingreq']);
});

test('nothing may come before CONNACK', () => {
  const { broker, device } = start(PLAIN);
  broker.send(publish(0, 'early'));
  expect([...device.report.drops.keys()]).toEqual(['something came before CONNACK']);
});

test('misbehaviour: acknowledgements never, twice, or backwards', () => {
  const answers = (acknowledges: Behaviour['acknowledges']) => {
    const { broker } = started({ ...PLAIN, acknowledges });
    broker.send(publish(1, 'one', 1));
    broker.send(publish(1, 'two', 2));
    return broker.take().map(({ messageId }) => messageId);
  };
  expect(answers('never')).toEqual([]);
  expect(answers('twice')).toEqual([1, 1, 2, 2]);
  expect(answers('backwards')).toEqual([2, 1]);
});

test('a full queue throws away the oldest that was not sent', () => {
  const { broker, device } = started({ ...PLAIN, inFlightMax: 1, queueMax: 2 });
  for (const payload of ['one', 'two', 'three']) device.publish({ topic: 't', payload, qos: 1 });
  broker.send({ cmd: 'puback', messageId: 1 });
  const payloads = broker.take().map((packet) => (packet as IPublishPacket).payload.toString());
  expect(payloads).toEqual(['one', 'three']);
  expect(device.report.overflowed).toBe(1);
});

test('every library names its source, and no two have one name', () => {
  expect(new Set(libraries.map(({ name }) => name)).size).toBe(libraries.length);
  expect(libraries.filter(({ source }) => source.length < 10)).toEqual([]);
  expect(() => behaviourOf('nothing')).toThrow(/there is no behaviour nothing/);
});

test('waiting for a device that cannot connect ends with what it saw', async () => {
  const { clock, far, device } = start(PLAIN);
  const up = device.up(5_000);
  far.close(true);
  clock.advance(5_000);
  await expect(up).rejects.toThrow('not connected after 5 s: connection reset (1 times)');
});

test('coreMQTT pings at once', () => {
  const { broker, device } = started(behaviourOf('coremqtt-2'), { subscriptions: SUBSCRIPTIONS });
  expect(broker.names()).toEqual(['pingreq', 'subscribe']);
  expect(device.report.pings).toBe(1);
});

test('Mongoose is somebody else each time, and asks for a session', () => {
  const { clock, far, broker } = start(behaviourOf('mongoose'));
  const first = broker.take();
  far.close(false);
  clock.advance(1_000);
  const connects = [...first, ...broker.take()];
  expect(connects).toMatchObject([
    { cmd: 'connect', clientId: 'dev-1', clean: false },
    { cmd: 'connect', clientId: 'dev-2', clean: false },
  ]);
});

test('each write through a modem takes its time', () => {
  const { clock, far, broker } = start(behaviourOf('tinygsm-pubsubclient'));
  expect(far.written).toEqual([]);
  clock.advance(100);
  expect(broker.names()).toEqual(['connect']);
});

test('PubSubClient takes a CONNACK of four bytes and publishes at QoS 0 what its buffer holds', () => {
  const { broker, device } = started(behaviourOf('pubsubclient'));
  device.publish({ topic: 't', payload: 'x'.repeat(250), qos: 0 });
  device.publish({ topic: 't', payload: 'x'.repeat(251), qos: 0 });
  expect(broker.take()).toMatchObject([{ cmd: 'publish', qos: 0 }]);
  expect(device.report.overflowed).toBe(1);
  expect(() => device.publish({ topic: 't', payload: 'x', qos: 1 })).toThrow('at QoS 0 at most');
  const other = start({ ...behaviourOf('pubsubclient'), connackBytes: 5 });
  accept(other.broker, false);
  expect([...other.device.report.drops.keys()]).toEqual(['CONNACK of another length']);
});

test('esp-mqtt scatters its identifiers and throws away what is not acknowledged for 30 s', () => {
  const { clock, broker, device } = started(behaviourOf('esp-mqtt'));
  for (let i = 0; i < 3; i++) device.publish({ topic: 't', payload: `${i}`, qos: 1 });
  const identifiers = broker.take().map((packet) => packet.messageId!);
  expect(new Set(identifiers).size).toBe(3);
  expect(identifiers[1]! - identifiers[0]!).not.toBe(1);
  clock.advance(29_000);
  expect([device.waiting, device.report.overflowed]).toEqual([3, 0]);
  clock.advance(2_000);
  expect([device.waiting, device.report.overflowed]).toEqual([0, 3]);
});

test('AsyncMqttClient: an unprovoked PUBREC is its end, PUBREL of nothing gets no answer', () => {
  const { broker, device } = started(behaviourOf('async-mqtt-client'));
  broker.take();
  broker.send({ cmd: 'pubrel', messageId: 9 });
  expect(broker.names()).toEqual([]);
  broker.send({ cmd: 'pubrec', messageId: 9 });
  expect([...device.report.drops.keys()]).toEqual(['crashed on an unprovoked PUBREC']);
});

test('one that never completes QoS 2', () => {
  const { broker, messages } = started({ ...PLAIN, sendsPubcomp: false });
  broker.take();
  broker.send(publish(2, 'one'));
  broker.send({ cmd: 'pubrel', messageId: 5 });
  expect([messages, broker.names()]).toEqual([['one'], ['pubrec']]);
});

test('coreMQTT pings when 30 s have passed without a packet either way', () => {
  const { clock, broker, device } = started(behaviourOf('coremqtt-2'));
  broker.send({ cmd: 'pingresp' });
  for (let i = 0; i < 5; i++) {
    clock.advance(10_000);
    device.publish({ topic: 't', payload: 'x', qos: 0 });
  }
  // It sends all the time and hears nothing: one at once, one after 30 s.
  expect(device.report.pings).toBe(2);
});

test('the time to resume is from the end of a connection to CONNACK with the session', () => {
  const { clock, far, broker, device } = started({ ...PLAIN, clean: false });
  clock.advance(5_000);
  far.close(true);
  clock.advance(1_000);
  clock.advance(70);
  accept(broker, true);
  expect(device.report.resumeMs.values).toEqual([1_070]);
});
