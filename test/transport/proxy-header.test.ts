import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProxyHeaderError, readProxyHeader } from '../../src/transport/proxy-header.js';
import { addition, version2 } from './proxy-headers.js';

function v1(line: string): Buffer {
  return Buffer.from(`${line}\r\n`);
}

const ipv4 = Buffer.from([192, 0, 2, 1, 192, 0, 2, 9, 0x12, 0x67, 0x07, 0x5b]);
const ipv6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('20010db8000000000000000000000002', 'hex'),
  Buffer.from([0x12, 0x67, 0x07, 0x5b]),
]);
const mapped = Buffer.concat([
  Buffer.from('00000000000000000000ffffc0000201', 'hex'),
  Buffer.from('00000000000000000000ffffc0000209', 'hex'),
  Buffer.from([0x12, 0x67, 0x07, 0x5b]),
]);

const headers: readonly (readonly [string, Buffer, string | undefined, number])[] = [
  ['TCP4 line', v1('PROXY TCP4 192.0.2.1 192.0.2.9 4711 1883'), '192.0.2.1', 4711],
  ['TCP6 line', v1('PROXY TCP6 2001:db8::1 ::1 4711 1883'), '2001:db8::1', 4711],
  ['IPv4 block', version2(0x21, 0x11, ipv4), '192.0.2.1', 4711],
  ['IPv6 block', version2(0x21, 0x21, ipv6), '2001:db8::1', 4711],
  ['mapped IPv4', version2(0x21, 0x21, mapped), '192.0.2.1', 4711],
  ['Unix block', version2(0x21, 0x31, Buffer.alloc(216)), undefined, 0],
  ['with additions', version2(0x21, 0x11, ipv4, addition(4, Buffer.alloc(7))), '192.0.2.1', 4711],
];

test.each(headers)('%s, at every length', (_, header, host, port) => {
  const behind = Buffer.from('MQTT');
  for (let length = 0; length < header.length; length++) {
    expect(readProxyHeader(header.subarray(0, length)), `${length} bytes`).toBeUndefined();
  }
  const found = readProxyHeader(Buffer.concat([header, behind]));
  expect(found?.length).toBe(header.length);
  expect(found?.source).toEqual({ host, port });
});

test.each([
  ['UNKNOWN', v1('PROXY UNKNOWN')],
  ['UNKNOWN with more', v1('PROXY UNKNOWN ffff::1 ffff::2 1 2')],
  ['LOCAL', version2(0x20, 0)],
  ['LOCAL with addresses', version2(0x20, 0x11, ipv4)],
  ['AF_UNSPEC', version2(0x21, 0)],
])('%s names nobody', (_, header) => {
  expect(readProxyHeader(header)).toEqual({
    length: header.length,
    source: undefined,
    commonName: undefined,
  });
});

test('the name in a verified client certificate is told, another is not', () => {
  const ssl = (client: number, verify: number) =>
    addition(
      0x20,
      Buffer.concat([
        Buffer.from([client, 0, 0, 0, verify]),
        addition(0x21, Buffer.from('TLSv1.3')),
        addition(0x22, Buffer.from('pump-7')),
      ]),
    );
  const name = (tlv: Buffer) =>
    readProxyHeader(version2(0x21, 0x11, ipv4, addition(1, Buffer.from('mqtt')), tlv))?.commonName;
  expect(name(ssl(0x07, 0))).toBe('pump-7');
  expect(name(ssl(0x05, 0))).toBe('pump-7');
  expect(name(ssl(0x07, 1))).toBeUndefined();
  expect(name(ssl(0x01, 0))).toBeUndefined();
});

test.each([
  ['MQTT', Buffer.from([0x10, 0x0c]), 'does not begin'],
  ['a near miss', Buffer.from('PROXI '), 'does not begin'],
  ['a broken signature', Buffer.from('\r\n\r\n\0\r\nQUIT '), 'does not begin'],
  ['an endless line', Buffer.from(`PROXY TCP4 ${'1'.repeat(120)}`), 'does not end'],
  ['another protocol', v1('PROXY UDP4 1.2.3.4 1.2.3.4 1 2'), 'the protocol "UDP4"'],
  ['a word too few', v1('PROXY TCP4 1.2.3.4 1.2.3.4 1'), 'not two addresses'],
  ['a port too large', v1('PROXY TCP4 1.2.3.4 1.2.3.4 65536 1'), 'not two addresses'],
  ['a name for an address', v1('PROXY TCP4 host 1.2.3.4 1 1'), 'not two addresses'],
  ['version 3', version2(0x31, 0x11, ipv4), 'unknown command'],
  ['an address cut off', version2(0x21, 0x11, ipv4.subarray(0, 11)), 'too short'],
  ['family 4', version2(0x21, 0x41, ipv4), 'too short'],
  ['an addition cut off', version2(0x21, 0x11, ipv4, Buffer.from([0x20, 0, 9, 1])), 'cut off'],
  ['too much', version2(0x21, 0x11, ipv4, Buffer.alloc(20_000)), 'bytes of addresses'],
])('%s is refused', (_, bytes, sentence) => {
  expect(() => readProxyHeader(bytes)).toThrow(ProxyHeaderError);
  expect(() => readProxyHeader(bytes)).toThrow(sentence);
});

test('any bytes are a header, the beginning of one, or refused', () => {
  const begins = fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', '\r\n\r\n\0\r\nQUIT\n!\x11\0');
  fc.assert(
    fc.property(begins, fc.uint8Array({ maxLength: 300 }), (begin, rest) => {
      const bytes = Buffer.concat([Buffer.from(begin, 'latin1'), rest]);
      try {
        const header = readProxyHeader(bytes);
        if (header !== undefined) expect(header.length).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(ProxyHeaderError);
      }
    }),
  );
});
