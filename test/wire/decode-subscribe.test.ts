import { describe, expect, it } from 'vitest';
import { PacketType, type SubscriptionOptions } from '../../src/wire/control-packet.js';
import { decoded, packet, refusal } from './bytes.js';

const AT_MOST_ONCE: SubscriptionOptions = {
  qos: 0,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
};

describe('SUBSCRIBE', () => {
  // Figure 3-23 of 3.1.1.
  it('is decoded as the specification prints it', () => {
    expect(decoded(packet(0x82, "00 0a 00 03 'a/b' 01 00 03 'c/d' 02"), 4)).toEqual({
      type: PacketType.SUBSCRIBE,
      packetIdentifier: 10,
      subscriptionIdentifier: undefined,
      userProperties: [],
      entries: [
        { topicFilter: 'a/b', options: { ...AT_MOST_ONCE, qos: 1 } },
        { topicFilter: 'c/d', options: { ...AT_MOST_ONCE, qos: 2 } },
      ],
    });
  });

  it('has options and properties in 5.0', () => {
    const body = "00 0a 0a 0b 80 01 26 00 01 'k' 00 01 'v' 00 03 'a/+' 2e";
    expect(decoded(packet(0x82, body), 5)).toEqual({
      type: PacketType.SUBSCRIBE,
      packetIdentifier: 10,
      subscriptionIdentifier: 128,
      userProperties: [['k', 'v']],
      entries: [
        {
          topicFilter: 'a/+',
          options: { qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
        },
      ],
    });
  });

  it.each([
    ['no Topic Filter', '00 01 00', '82 MQTT-3.8.3-2'],
    ['the Packet Identifier 0', "00 00 00 00 01 'a' 00", '82 MQTT-2.2.1-3'],
    ['a filter without options', "00 01 00 00 01 'a'", '81'],
    ['a filter that is not UTF-8', '00 01 00 00 01 ff 00', '81 MQTT-1.5.4-1'],
    ['QoS 3', "00 01 00 00 01 'a' 03", '82'],
    ['Retain Handling 3', "00 01 00 00 01 'a' 30", '82'],
    ['the reserved option bit 6', "00 01 00 00 01 'a' 40", '81 MQTT-3.8.3-5'],
    ['the reserved option bit 7', "00 01 00 00 01 'a' 80", '81 MQTT-3.8.3-5'],
    ['No Local on a share', "00 01 00 00 0a '$share/g/a' 04", '82 MQTT-3.8.3-4'],
    ['the Subscription Identifier 0', "00 01 02 0b 00 00 01 'a' 00", '82'],
    ['two Subscription Identifiers', "00 01 04 0b 01 0b 02 00 01 'a' 00", '82'],
    ['a Subscription Identifier too long', "00 01 06 0b 80 80 80 80 01 00 01 'a' 00", '81'],
    ['a property of another packet', "00 01 03 23 00 01 00 01 'a' 00", '81'],
  ])('of 5.0 is refused for %s', (_, body, code) => {
    expect(refusal(() => decoded(packet(0x82, body), 5))).toBe(code);
  });

  it.each([
    ['no Topic Filter', '00 01', '82 MQTT-3.8.3-3'],
    ['the Packet Identifier 0', "00 00 00 01 'a' 00", '82 MQTT-2.3.1-1'],
    ['QoS 3', "00 01 00 01 'a' 03", '81 MQTT-3.8.3-4'],
    ['a bit above the QoS', "00 01 00 01 'a' 04", '81 MQTT-3.8.3-4'],
    ['a filter that is not UTF-8', '00 01 00 01 ff 00', '81 MQTT-1.5.3-1'],
  ])('of 3.1.1 is refused for %s', (_, body, code) => {
    expect(refusal(() => decoded(packet(0x82, body), 4))).toBe(code);
  });

  it('of 3.1 may use the bits above the QoS', () => {
    expect(decoded(packet(0x8a, "00 01 00 01 'a' f1"), 3)).toMatchObject({
      entries: [{ options: { ...AT_MOST_ONCE, qos: 1 } }],
    });
  });
});

describe('UNSUBSCRIBE', () => {
  it('is decoded', () => {
    const expected = { type: PacketType.UNSUBSCRIBE, packetIdentifier: 10, userProperties: [] };
    expect(decoded(packet(0xa2, "00 0a 00 03 'a/b' 00 03 'c/d'"), 4)).toEqual({
      ...expected,
      topicFilters: ['a/b', 'c/d'],
    });
    expect(decoded(packet(0xa2, "00 0a 07 26 00 01 'k' 00 01 'v' 00 01 'a'"), 5)).toEqual({
      ...expected,
      userProperties: [['k', 'v']],
      topicFilters: ['a'],
    });
  });

  it.each([
    ['no Topic Filter', '00 01 00', 5, '82 MQTT-3.10.3-2'],
    ['no Topic Filter', '00 01', 4, '82 MQTT-3.10.3-2'],
    ['the Packet Identifier 0', "00 00 00 00 01 'a'", 5, '82 MQTT-2.2.1-3'],
    ['half a filter', "00 01 00 00 02 'a'", 5, '81'],
    ['a Subscription Identifier', "00 01 02 0b 01 00 01 'a'", 5, '81'],
  ] as const)('is refused for %s (version %s, %i)', (_, body, version, code) => {
    expect(refusal(() => decoded(packet(0xa2, body), version))).toBe(code);
  });
});
