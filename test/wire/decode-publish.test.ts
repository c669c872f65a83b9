import { describe, expect, it } from 'vitest';
import { PacketType, type ProtocolVersion } from '../../src/wire/control-packet.js';
import {
  decodePublish,
  decodePublishPacket,
  forwardedProperties,
} from '../../src/wire/decode-publish.js';
import { PROPERTIES_BYTES_MAX } from '../../src/wire/protocol-violation.js';
import { Publish } from '../../src/wire/publish.js';
import { bytes, packet, placed, refusal } from './bytes.js';

const scratch = new Publish();

function publishOf(whole: Uint8Array, version: ProtocolVersion = 5): Publish {
  decodePublish(scratch, placed(whole), version);
  return scratch;
}

function text(publish: Publish, start: number, end: number): string {
  return Buffer.from(publish.bytes.subarray(start, end)).toString();
}

describe('decodePublish', () => {
  // Figure 3-11 of 3.1.1.
  it('finds topic, identifier and payload where they lie', () => {
    const publish = publishOf(packet(0x3b, "00 03 'a/b' 00 0a 'payload'"), 4);
    expect(publish).toMatchObject({ dup: true, qos: 1, retain: true, packetIdentifier: 10 });
    expect(text(publish, publish.topicStart, publish.topicEnd)).toBe('a/b');
    expect(text(publish, publish.payloadStart, publish.packetEnd)).toBe('payload');
    expect(publish.propertiesStart).toBe(publish.propertiesEnd);
  });

  it('takes out what the server uses, and forgets the packet before', () => {
    const first = publishOf(packet(0x30, "00 01 't' 0a 23 00 07 02 00 00 ff 02 01 01 'x'"));
    expect(first).toMatchObject({
      topicAlias: 7,
      messageExpiryIntervalSeconds: 0xff02,
      payloadFormatIndicator: 1,
      propertiesAreVerbatim: false,
      packetIdentifier: 0,
    });
    expect(text(first, first.payloadStart, first.packetEnd)).toBe('x');
    expect(publishOf(packet(0x30, "00 01 't' 00"))).toMatchObject({
      topicAlias: 0,
      messageExpiryIntervalSeconds: -1,
      payloadFormatIndicator: 0,
      propertiesAreVerbatim: true,
    });
  });

  it('forwards all other properties as they stand', () => {
    const kept = "26 00 01 'k' 00 01 'v' 03 00 01 'c' 09 00 02 02 23 08 00 01 'r' 01 00";
    const body = `00 01 't' 1e 02 00 00 00 01 ${kept} 23 00 01`;
    const publish = publishOf(packet(0x30, body));
    expect(publish.propertiesAreVerbatim).toBe(false);
    expect(forwardedProperties(publish)).toEqual(bytes(kept));
    const verbatim = publishOf(packet(0x30, `00 01 't' 16 ${kept}`));
    expect(verbatim.propertiesAreVerbatim).toBe(true);
    expect(forwardedProperties(verbatim)).toEqual(bytes(kept));
    expect(forwardedProperties(verbatim).buffer.byteLength).toBe(bytes(kept).length);
  });

  it('lets a Topic Alias stand for the Topic Name', () => {
    const publish = publishOf(packet(0x30, '00 00 03 23 00 01'));
    expect(publish.topicStart).toBe(publish.topicEnd);
    expect(publish.topicAlias).toBe(1);
  });

  it('of 3.1 may have DUP at QoS 0', () => {
    expect(publishOf(packet(0x38, "00 01 't'"), 3).dup).toBe(false);
  });

  const BOTH: readonly [string, number, string, ProtocolVersion, string][] = [
    ['QoS 3', 0x36, "00 01 't' 00 01 00", 5, '81 MQTT-3.3.1-4'],
    ['DUP at QoS 0', 0x38, "00 01 't' 00", 5, '81 MQTT-3.3.1-2'],
    ['the Packet Identifier 0', 0x32, "00 01 't' 00 00 00", 5, '82 MQTT-2.2.1-3'],
    ['the Packet Identifier 0', 0x32, "00 01 't' 00 00", 4, '82 MQTT-2.3.1-1'],
    ['no Topic Name', 0x30, '00', 4, '81'],
    ['a Topic Name beyond the packet', 0x30, "00 03 'ab'", 4, '81'],
    ['no Packet Identifier', 0x32, "00 01 't' 00", 4, '81'],
    ['an empty Topic Name', 0x30, '00 00', 4, '82 MQTT-4.7.3-1'],
    ['neither Topic Name nor Topic Alias', 0x30, '00 00 00', 5, '82'],
    ['no Property Length', 0x30, "00 01 't'", 5, '81'],
    ['half a Property Length', 0x30, "00 01 't' 80", 5, '81'],
    ['a Property Length of five bytes', 0x30, "00 01 't' 80 80 80 80 01", 5, '81'],
    ['a long form of Property Length', 0x30, "00 01 't' 80 00", 5, '81 MQTT-1.5.5-1'],
    ['a Property Length beyond the packet', 0x30, "00 01 't' 01", 5, '81'],
    ['an unknown property', 0x30, "00 01 't' 02 7f 00", 5, '81'],
    ['a property of another packet', 0x30, "00 01 't' 03 21 00 01", 5, '81'],
    ['half a property', 0x30, "00 01 't' 02 23 00 01", 5, '81'],
    ['half a string', 0x30, "00 01 't' 04 03 00 02 'a'", 5, '81'],
    ['half a User Property', 0x30, "00 01 't' 06 26 00 01 'k' 00 01", 5, '81'],
    ['the Topic Alias 0', 0x30, "00 01 't' 03 23 00 00", 5, '94 MQTT-3.3.2-8'],
    ['a Payload Format Indicator of 2', 0x30, "00 01 't' 02 01 02", 5, '82'],
    ['a Response Topic with +', 0x30, "00 01 't' 06 08 00 03 'a/+'", 5, '82 MQTT-3.3.2-14'],
    ['a Response Topic with #', 0x30, "00 01 't' 04 08 00 01 '#'", 5, '82 MQTT-3.3.2-14'],
    ['ill-formed Content Type', 0x30, "00 01 't' 04 03 00 01 ff", 5, '81 MQTT-1.5.4-1'],
    ['ill-formed Response Topic', 0x30, "00 01 't' 04 08 00 01 00", 5, '81 MQTT-1.5.4-2'],
    ['an ill-formed name', 0x30, "00 01 't' 07 26 00 01 ff 00 01 'v'", 5, '81 MQTT-1.5.4-1'],
    ['an ill-formed value', 0x30, "00 01 't' 07 26 00 01 'k' 00 01 ff", 5, '81 MQTT-1.5.4-1'],
    ['a Subscription Identifier', 0x30, "00 01 't' 02 0b 01", 5, '82 MQTT-3.3.4-6'],
    ['two Topic Aliases', 0x30, "00 01 't' 06 23 00 01 23 00 01", 5, '82'],
    ['two Message Expiry Intervals', 0x30, "00 01 't' 0a 02 00 00 00 01 02 00 00 00 01", 5, '82'],
    ['two Payload Format Indicators', 0x30, "00 01 't' 04 01 00 01 00", 5, '82'],
    ['two Content Types', 0x30, "00 01 't' 06 03 00 00 03 00 00", 5, '82'],
    ['two Response Topics', 0x30, "00 01 't' 08 08 00 01 'a' 08 00 01 'a'", 5, '82'],
    ['two Correlation Data', 0x30, "00 01 't' 06 09 00 00 09 00 00", 5, '82'],
  ];
  it.each(BOTH)('and decodePublishPacket refuse %s (%i, %s, version %i)', (...row) => {
    const [, first, body, version, code] = row;
    const whole = packet(first, body);
    expect(refusal(() => publishOf(whole, version))).toBe(code);
    expect(refusal(() => decodePublishPacket(placed(whole), version, 'client'))).toBe(code);
  });
});

describe('decodePublishPacket', () => {
  it('decodes everything', () => {
    const properties =
      "01 01 02 00 00 00 05 23 00 03 08 00 01 'r' 09 00 01 07 26 00 01 'k' 00 01 'v' " +
      "0b 01 0b 80 01 03 00 01 'c'";
    const whole = packet(0x34, `00 01 't' 00 09 22 ${properties} 'x'`);
    expect(decodePublishPacket(placed(whole), 5, 'server')).toEqual({
      type: PacketType.PUBLISH,
      dup: false,
      qos: 2,
      retain: false,
      topicName: 't',
      packetIdentifier: 9,
      payload: bytes("'x'"),
      payloadFormatIndicator: 1,
      messageExpiryIntervalSeconds: 5,
      topicAlias: 3,
      responseTopic: 'r',
      correlationData: bytes('07'),
      userProperties: [['k', 'v']],
      subscriptionIdentifiers: [1, 128],
      contentType: 'c',
    });
  });

  it('owns its payload', () => {
    const source = placed(packet(0x30, "00 01 't' 'x'"));
    const { payload } = decodePublishPacket(source, 4, 'client');
    source.bytes.fill(0);
    expect(payload).toEqual(bytes("'x'"));
  });

  it.each([
    ['a Topic Name that is not UTF-8', '00 01 ff 00', '81 MQTT-1.5.4-1'],
    ['the Subscription Identifier 0', "00 01 't' 02 0b 00", '82'],
  ])('refuses %s', (_, body, code) => {
    const whole = packet(0x30, body);
    expect(refusal(() => decodePublishPacket(placed(whole), 5, 'server'))).toBe(code);
  });
});

it('takes properties up to their limit, and no more', () => {
  const withProperties = (count: number): Uint8Array => {
    const properties = Buffer.alloc(count * 7, Buffer.from('2600016100016b', 'hex'));
    // The Property Length is written as the Remaining Length is.
    const counted = packet(0, properties).subarray(1);
    return packet(0x30, Buffer.concat([Buffer.from([0, 1, 0x74]), counted]));
  };
  const most = Math.floor(PROPERTIES_BYTES_MAX / 7);
  expect(publishOf(withProperties(most)).packetEnd).toBeGreaterThan(PROPERTIES_BYTES_MAX - 7);
  expect(refusal(() => publishOf(withProperties(most + 1)))).toContain('97');
});
