import { describe, expect, it } from 'vitest';
import { type Connect, PacketType } from '../../src/wire/control-packet.js';
import { bytes, decoded, packet, refusal } from './bytes.js';

const V3 = "00 06 'MQIsdp' 03";
const V4 = "00 04 'MQTT' 04";
const V5 = "00 04 'MQTT' 05";

const DEFAULTS: Connect = {
  type: PacketType.CONNECT,
  protocolVersion: 5,
  cleanStart: false,
  keepAliveSeconds: 0,
  clientIdentifier: 'c',
  will: undefined,
  userName: undefined,
  password: undefined,
  sessionExpiryIntervalSeconds: 0,
  receiveMaximum: 65_535,
  maximumPacketSizeBytes: undefined,
  topicAliasMaximum: 0,
  requestResponseInformation: false,
  requestProblemInformation: true,
  userProperties: [],
  authenticationMethod: undefined,
  authenticationData: undefined,
};

function connect(body: string): unknown {
  return decoded(packet(0x10, body), 4);
}

describe('CONNECT', () => {
  it('is decoded without any option in all three versions', () => {
    expect(connect(`${V3} 02 00 0a 00 01 'c'`)).toEqual({
      ...DEFAULTS,
      protocolVersion: 3,
      cleanStart: true,
      keepAliveSeconds: 10,
    });
    expect(connect(`${V4} 00 00 00 00 01 'c'`)).toEqual({ ...DEFAULTS, protocolVersion: 4 });
    expect(connect(`${V5} 00 00 00 00 00 01 'c'`)).toEqual(DEFAULTS);
  });

  it('is decoded with all options in 3.1.1', () => {
    const body = `${V4} ee 00 3c 00 01 'c' 00 01 'w' 00 03 'bye' 00 01 'u' 00 02 ff 00`;
    expect(connect(body)).toEqual({
      ...DEFAULTS,
      protocolVersion: 4,
      cleanStart: true,
      keepAliveSeconds: 60,
      will: {
        topicName: 'w',
        payload: bytes("'bye'"),
        qos: 1,
        retain: true,
        delayIntervalSeconds: 0,
        messageExpiryIntervalSeconds: undefined,
        payloadFormatIndicator: 0,
        forwardedProperties: new Uint8Array(0),
      },
      userName: 'u',
      password: bytes('ff 00'),
    });
  });

  it('is decoded with every property in 5.0', () => {
    const properties =
      "11 00 00 00 0a 21 00 14 27 00 01 00 00 22 00 05 19 01 17 00 26 00 01 'k' 00 01 'v' " +
      "15 00 01 'm' 16 00 01 07";
    expect(connect(`${V5} 02 00 00 23 ${properties} 00 01 'c'`)).toEqual({
      ...DEFAULTS,
      cleanStart: true,
      sessionExpiryIntervalSeconds: 10,
      receiveMaximum: 20,
      maximumPacketSizeBytes: 65_536,
      topicAliasMaximum: 5,
      requestResponseInformation: true,
      requestProblemInformation: false,
      userProperties: [['k', 'v']],
      authenticationMethod: 'm',
      authenticationData: bytes('07'),
    });
  });

  it('keeps the Will Properties to forward as bytes, in order', () => {
    const forwarded = "03 00 01 't' 26 00 01 'k' 00 01 'v' 01 01 26 00 01 'k' 00 01 'w'";
    const will = `26 18 00 00 00 05 ${forwarded} 02 00 00 00 09 08 00 01 'r' 09 00 01 07`;
    const body = `${V5} 04 00 00 00 00 01 'c' ${will} 00 01 'w' 00 00`;
    expect(connect(body)).toMatchObject({
      will: {
        topicName: 'w',
        delayIntervalSeconds: 5,
        messageExpiryIntervalSeconds: 9,
        payloadFormatIndicator: 1,
        forwardedProperties: bytes(`${forwarded} 08 00 01 'r' 09 00 01 07`),
      },
    });
  });

  it('may have a Password without a User Name in 5.0 alone', () => {
    expect(connect(`${V5} 40 00 00 00 00 01 'c' 00 01 'p'`)).toMatchObject({
      userName: undefined,
      password: bytes("'p'"),
    });
    expect(refusal(() => connect(`${V4} 40 00 00 00 01 'c' 00 01 'p'`))).toBe('81 MQTT-3.1.2-22');
    expect(refusal(() => connect(`${V3} 40 00 00 00 01 'c' 00 01 'p'`))).toBe('81 MQTT-3.1.2-22');
  });

  it('leaves Client Identifiers of any length to the session', () => {
    const long = 'x'.repeat(200);
    expect(connect(`${V3} 02 00 00 00 c8 '${long}'`)).toMatchObject({ clientIdentifier: long });
    expect(connect(`${V4} 00 00 00 00 00`)).toMatchObject({ clientIdentifier: '' });
  });

  it('of 3.1 may announce a User Name and a Password that are missing', () => {
    expect(connect(`${V3} c2 00 00 00 01 'c'`)).toMatchObject({
      userName: undefined,
      password: undefined,
    });
    expect(connect(`${V3} c2 00 00 00 01 'c' 00 01 'u'`)).toMatchObject({
      userName: 'u',
      password: undefined,
    });
    expect(refusal(() => connect(`${V4} c2 00 00 00 01 'c'`))).toBe('81');
  });

  it('of 3.1 may use flags that mean nothing there', () => {
    expect(connect(`${V3} 2b 00 00 00 01 'c'`)).toMatchObject({ will: undefined });
  });

  it.each([
    ['another name', "00 04 'mqtt' 04", 'MQTT-3.1.2-1'],
    ['a longer name', "00 05 'MQTTT' 04", 'MQTT-3.1.2-1'],
    ['another name that is not UTF-8', '00 04 ff fe fd fc 04', 'MQTT-3.1.2-1'],
    ['a level to come', "00 04 'MQTT' 06", 'MQTT-3.1.2-2'],
    ['the level of 3.1 with the name of 3.1.1', "00 04 'MQTT' 03", 'MQTT-3.1.2-2'],
    ['the level of 3.1.1 with the name of 3.1', "00 06 'MQIsdp' 04", 'MQTT-3.1.2-2'],
    ["a bridge's level", "00 04 'MQTT' 84", 'MQTT-3.1.2-2'],
  ])('is refused as unsupported for %s', (_, start, statement) => {
    expect(refusal(() => connect(`${start} 02 00 00 00 01 'c'`))).toBe(`84 ${statement}`);
  });

  it.each([
    ['a wrong name length', "00 09 'MQTT' 04", '81'],
    ['nothing at all', '', '81'],
    ['the reserved flag (3.1.1)', `${V4} 03 00 00 00 01 'c'`, '81 MQTT-3.1.2-3'],
    ['the reserved flag (5.0)', `${V5} 03 00 00 00 00 01 'c'`, '81 MQTT-3.1.2-3'],
    ['Will QoS 3 (3.1.1)', `${V4} 1c 00 00 00 01 'c' 00 01 'w' 00 00`, '81 MQTT-3.1.2-14'],
    ['Will QoS 3 (5.0)', `${V5} 1c 00 00 00 00 01 'c' 00 00 01 'w' 00 00`, '81 MQTT-3.1.2-12'],
    ['Will QoS without Will (3.1.1)', `${V4} 08 00 00 00 01 'c'`, '81 MQTT-3.1.2-13'],
    ['Will QoS without Will (5.0)', `${V5} 08 00 00 00 00 01 'c'`, '81 MQTT-3.1.2-11'],
    ['Will Retain without Will (3.1.1)', `${V4} 20 00 00 00 01 'c'`, '81 MQTT-3.1.2-15'],
    ['Will Retain without Will (5.0)', `${V5} 20 00 00 00 00 01 'c'`, '81 MQTT-3.1.2-13'],
    ['no Client Identifier', `${V4} 02 00 00`, '81'],
    ['a Will that is not there', `${V4} 04 00 00 00 01 'c'`, '81'],
    ['bytes behind it', `${V4} 02 00 00 00 01 'c' 00`, '81 MQTT-3.1.4-1'],
    ['a User Name that is not announced', `${V4} 02 00 00 00 01 'c' 00 01 'u'`, '81 MQTT-3.1.4-1'],
    ['the Receive Maximum 0', `${V5} 02 00 00 03 21 00 00 00 01 'c'`, '82'],
    ['the Maximum Packet Size 0', `${V5} 02 00 00 05 27 00 00 00 00 00 01 'c'`, '82'],
    ['Request Problem Information 2', `${V5} 02 00 00 02 17 02 00 01 'c'`, '82'],
    ['Request Response Information 2', `${V5} 02 00 00 02 19 02 00 01 'c'`, '82'],
    ['a property twice', `${V5} 02 00 00 06 21 00 01 21 00 01 00 01 'c'`, '82'],
    ['a property of another packet', `${V5} 02 00 00 03 23 00 01 00 01 'c'`, '81'],
    ['Authentication Data alone', `${V5} 02 00 00 04 16 00 01 07 00 01 'c'`, '82'],
    ['a Will Property of CONNECT', `${V5} 02 00 00 05 18 00 00 00 01 00 01 'c'`, '81'],
    ['a Topic Alias in the Will', `${V5} 04 00 00 00 00 01 'c' 03 23 00 01 00 01 'w' 00 00`, '81'],
    ['a Will without properties', `${V5} 04 00 00 00 00 01 'c'`, '81'],
    ['a User Name with U+0000', `${V4} 82 00 00 00 01 'c' 00 01 00`, '81 MQTT-1.5.3-2'],
    ['a Client Identifier not in UTF-8', `${V5} 02 00 00 00 00 01 ff`, '81 MQTT-1.5.4-1'],
  ])('is refused for %s', (_, body, code) => {
    expect(refusal(() => connect(body))).toBe(code);
  });
});
