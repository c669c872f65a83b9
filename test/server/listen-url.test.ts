import { expect, test } from 'vitest';
import { isLoopback, parseListenUrl } from '../../src/server/listen-url.js';

test.each([
  ['mqtt://127.0.0.1', { scheme: 'mqtt', host: '127.0.0.1', port: 1883, path: '' }],
  ['MQTT://LocalHost:0/', { scheme: 'mqtt', host: 'LocalHost', port: 0, path: '' }],
  ['ws://0.0.0.0:80', { scheme: 'ws', host: '0.0.0.0', port: 80, path: '/mqtt' }],
  ['ws://[fe80::1]:443/broker', { scheme: 'ws', host: 'fe80::1', port: 443, path: '/broker' }],
])('%s', (text, expected) => {
  expect(parseListenUrl(text)).toEqual(expected);
});

test.each([
  ['', 'expected a URL'],
  [':1883', 'expected a URL'],
  ['127.0.0.1:1883', 'expected a URL'],
  ['mqtt://', 'expected a host'],
  ['mqtt://:1883', 'expected a host'],
  ['mqtt://127.0.0.1:65536', 'expected a host'],
  ['mqtt://127.0.0.1/topic', 'no path'],
  ['mqtt://me:secret@127.0.0.1', 'nothing but host, port and path'],
  ['wss://127.0.0.1', 'not available in this version'],
  ['unix:///run/mqtt', 'not available in this version'],
  ['ftp://127.0.0.1', 'ftp:// is unknown'],
  ['constructor://127.0.0.1', 'constructor:// is unknown'],
])('%s is told', (text, sentence) => {
  expect(parseListenUrl(text)).toContain(sentence);
});

test('only this machine reaches loopback addresses', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopback)).toBe(true);
  const open = [
    '0.0.0.0',
    '::',
    '192.168.1.2',
    '::ffff:10.0.0.1',
    'example.org',
    'localhost.example',
  ];
  expect(open.some(isLoopback)).toBe(false);
});
