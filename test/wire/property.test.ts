import { describe, expect, it } from 'vitest';
import { PacketType } from '../../src/wire/control-packet.js';
import { packetTypeName } from '../../src/wire/packet-type-name.js';
import { DataType, PROPERTIES, propertyDefinition, WILL } from '../../src/wire/property.js';

/** Table 2-4 of 5.0, section 2.2.2.2, as the specification prints it. */
const SPECIFIED: readonly [number, string, keyof typeof DataType, string][] = [
  [0x01, 'Payload Format Indicator', 'Byte', 'PUBLISH, Will'],
  [0x02, 'Message Expiry Interval', 'FourByteInteger', 'PUBLISH, Will'],
  [0x03, 'Content Type', 'Utf8String', 'PUBLISH, Will'],
  [0x08, 'Response Topic', 'Utf8String', 'PUBLISH, Will'],
  [0x09, 'Correlation Data', 'BinaryData', 'PUBLISH, Will'],
  [0x0b, 'Subscription Identifier', 'VariableByteInteger', 'PUBLISH, SUBSCRIBE'],
  [0x11, 'Session Expiry Interval', 'FourByteInteger', 'CONNECT, CONNACK, DISCONNECT'],
  [0x12, 'Assigned Client Identifier', 'Utf8String', 'CONNACK'],
  [0x13, 'Server Keep Alive', 'TwoByteInteger', 'CONNACK'],
  [0x15, 'Authentication Method', 'Utf8String', 'CONNECT, CONNACK, AUTH'],
  [0x16, 'Authentication Data', 'BinaryData', 'CONNECT, CONNACK, AUTH'],
  [0x17, 'Request Problem Information', 'Byte', 'CONNECT'],
  [0x18, 'Will Delay Interval', 'FourByteInteger', 'Will'],
  [0x19, 'Request Response Information', 'Byte', 'CONNECT'],
  [0x1a, 'Response Information', 'Utf8String', 'CONNACK'],
  [0x1c, 'Server Reference', 'Utf8String', 'CONNACK, DISCONNECT'],
  [
    0x1f,
    'Reason String',
    'Utf8String',
    'CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH',
  ],
  [0x21, 'Receive Maximum', 'TwoByteInteger', 'CONNECT, CONNACK'],
  [0x22, 'Topic Alias Maximum', 'TwoByteInteger', 'CONNECT, CONNACK'],
  [0x23, 'Topic Alias', 'TwoByteInteger', 'PUBLISH'],
  [0x24, 'Maximum QoS', 'Byte', 'CONNACK'],
  [0x25, 'Retain Available', 'Byte', 'CONNACK'],
  [
    0x26,
    'User Property',
    'Utf8StringPair',
    'CONNECT, CONNACK, PUBLISH, Will, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, ' +
      'UNSUBSCRIBE, UNSUBACK, DISCONNECT, AUTH',
  ],
  [0x27, 'Maximum Packet Size', 'FourByteInteger', 'CONNECT, CONNACK'],
  [0x28, 'Wildcard Subscription Available', 'Byte', 'CONNACK'],
  [0x29, 'Subscription Identifiers Available', 'Byte', 'CONNACK'],
  [0x2a, 'Shared Subscription Available', 'Byte', 'CONNACK'],
];

const OWNERS = [WILL, ...Object.values(PacketType)];

describe('the table of properties', () => {
  it('has the 27 properties of the specification, in order', () => {
    expect(PROPERTIES.map(({ identifier, name }) => [identifier, name])).toEqual(
      SPECIFIED.map(([identifier, name]) => [identifier, name]),
    );
  });

  it.each(SPECIFIED)('0x%s %s has the specified type and packets', (identifier, _, type, where) => {
    const definition = propertyDefinition(identifier)!;
    expect(definition.dataType).toBe(DataType[type]);
    const owners = OWNERS.filter((owner) => (definition.owners & (1 << owner)) !== 0);
    const names = owners.map((owner) => (owner === WILL ? 'Will' : packetTypeName(owner)));
    expect(new Set(names)).toEqual(new Set(where.split(', ')));
  });

  it('lets only User Property and, in PUBLISH, Subscription Identifier repeat', () => {
    const repeating = PROPERTIES.filter(({ repeatsIn }) => repeatsIn !== 0);
    expect(repeating.map(({ name }) => name)).toEqual(['Subscription Identifier', 'User Property']);
    expect(propertyDefinition(0x0b)!.repeatsIn).toBe(1 << PacketType.PUBLISH);
    expect(propertyDefinition(0x26)!.repeatsIn).toBe(propertyDefinition(0x26)!.owners);
  });

  it('gives each property a field and a bit of its own', () => {
    expect(new Set(PROPERTIES.map(({ field }) => field)).size).toBe(27);
    expect(new Set(PROPERTIES.map(({ bit }) => bit)).size).toBe(27);
  });

  it('knows no other identifier', () => {
    const known = new Set(SPECIFIED.map(([identifier]) => identifier));
    for (let identifier = 0; identifier < 256; identifier++) {
      expect(propertyDefinition(identifier) !== undefined).toBe(known.has(identifier));
    }
  });
});
