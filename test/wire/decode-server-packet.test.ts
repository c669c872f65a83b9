import { describe, expect, it } from 'vitest';
import { PacketType } from '../../src/wire/control-packet.js';
import { decoded, packet, refusal } from './bytes.js';

describe('CONNACK', () => {
  it('has every property that a server may set', () => {
    const properties =
      "11 00 00 00 0a 21 00 05 24 01 25 00 27 00 00 01 00 12 00 02 'id' 22 00 0a 1f 00 01 'r' " +
      "26 00 01 'k' 00 01 'v' 28 00 29 01 2a 00 13 00 3c 1a 00 01 'i' 1c 00 01 's' 15 00 01 'm' " +
      '16 00 01 07';
    expect(decoded(packet(0x20, `01 00 3d ${properties}`), 5, 'server')).toEqual({
      type: PacketType.CONNACK,
      sessionPresent: true,
      reasonCode: 0,
      sessionExpiryIntervalSeconds: 10,
      receiveMaximum: 5,
      maximumQoS: 1,
      retainAvailable: false,
      maximumPacketSizeBytes: 256,
      assignedClientIdentifier: 'id',
      topicAliasMaximum: 10,
      reasonString: 'r',
      userProperties: [['k', 'v']],
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifiersAvailable: true,
      sharedSubscriptionAvailable: false,
      serverKeepAliveSeconds: 60,
      responseInformation: 'i',
      serverReference: 's',
      authenticationMethod: 'm',
      authenticationData: Uint8Array.of(7),
    });
  });

  it('turns return codes into Reason Codes before 5.0', () => {
    expect(decoded(packet(0x20, '01 00'), 4, 'server')).toMatchObject({
      sessionPresent: true,
      reasonCode: 0,
    });
    expect(decoded(packet(0x20, '00 05'), 3, 'server')).toMatchObject({ reasonCode: 0x87 });
  });

  it('has no Session Present in 3.1, where that byte is reserved', () => {
    expect(decoded(packet(0x20, '01 00'), 3, 'server')).toMatchObject({ sessionPresent: false });
  });

  it.each([
    ['reserved flags', '02 00 00', 5, '81 MQTT-3.2.2-1'],
    ['Session Present in a refusal', '01 87 00', 5, '82 MQTT-3.2.2-6'],
    ['Session Present in a refusal', '01 05', 4, '82 MQTT-3.2.2-4'],
    ['a Reason Code of another packet', '00 92 00', 5, '82 MQTT-3.2.2-8'],
    ['an unknown return code', '00 06', 4, '82'],
    ['no Property Length', '00 00', 5, '81'],
    ['properties before 5.0', '00 00 00', 4, '81'],
    ['the Receive Maximum 0', '00 00 03 21 00 00', 5, '82'],
    ['the Maximum QoS 2', '00 00 02 24 02', 5, '82'],
    ['Retain Available 2', '00 00 02 25 02', 5, '82'],
    ['a property of another packet', '00 00 03 23 00 01', 5, '81'],
  ] as const)('is refused for %s (%s, version %i)', (_, body, version, code) => {
    expect(refusal(() => decoded(packet(0x20, body), version, 'server'))).toBe(code);
  });
});

describe('SUBACK and UNSUBACK', () => {
  it('have a code for each Topic Filter', () => {
    expect(decoded(packet(0x90, '00 0a 00 01 80'), 4, 'server')).toEqual({
      type: PacketType.SUBACK,
      packetIdentifier: 10,
      reasonCodes: [0, 1, 0x80],
    });
    const suback = packet(0x90, "00 0a 04 1f 00 01 'r' 02 a2");
    expect(decoded(suback, 5, 'server')).toEqual({
      type: PacketType.SUBACK,
      packetIdentifier: 10,
      reasonCodes: [2, 0xa2],
      reasonString: 'r',
    });
    expect(decoded(packet(0xb0, '00 0a 00 00 11'), 5, 'server')).toMatchObject({
      type: PacketType.UNSUBACK,
      reasonCodes: [0, 0x11],
    });
  });

  it('UNSUBACK has no payload before 5.0', () => {
    expect(decoded(packet(0xb0, '00 0a'), 4, 'server')).toMatchObject({ reasonCodes: [] });
    expect(refusal(() => decoded(packet(0xb0, '00 0a 00'), 4, 'server'))).toBe('81');
  });

  it.each([
    ['no code', 0x90, '00 01 00', 5, '81'],
    ['no code', 0xb0, '00 01 00', 5, '81'],
    ['no code', 0x90, '00 01', 4, '81'],
    ['a code of another packet', 0x90, '00 01 00 11', 5, '82 MQTT-3.9.3-2'],
    ['a code of another packet', 0xb0, '00 01 00 01', 5, '82 MQTT-3.11.3-2'],
    ['a 5.0 code', 0x90, '00 01 87', 4, '82 MQTT-3.9.3-2'],
    ['the Packet Identifier 0', 0x90, '00 00 00 00', 5, '82 MQTT-2.2.1-3'],
  ] as const)('are refused for %s (%i, %s, version %i)', (_, first, body, version, code) => {
    expect(refusal(() => decoded(packet(first, body), version, 'server'))).toBe(code);
  });
});
