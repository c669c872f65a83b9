import { expect, test } from 'vitest';
import { isLocal, isLoopback, parseListenUrl } from '../../src/server/listen-url.js';
import type { ListenAddress } from '../../src/transport/listener.js';

test.each([
  ['mqtt://127.0.0.1', { scheme: 'mqtt', host: '127.0.0.1', port: 1883, path: '' }],
  ['MQTT://LocalHost:0/', { scheme: 'mqtt', host: 'LocalHost', port: 0, path: '' }],
  ['ws://0.0.0.0:80', { scheme: 'ws', host: '0.0.0.0', port: 80, path: '/mqtt' }],
  ['ws://[fe80::1]:443/broker', { scheme: 'ws', host: 'fe80::1', port: 443, path: '/broker' }],
  ['mqtts://[::]', { scheme: 'mqtts', host: '::', port: 8883, path: '' }],
  ['wss://localhost', { scheme: 'wss', host: 'localhost', port: 8443, path: '/mqtt' }],
  ['unix:/run/x', { scheme: 'mqtt', host: '', port: 0, path: '', socketFile: '/run/x' }],
  ['unix:///run/x', { scheme: 'mqtt', host: '', port: 0, path: '', socketFile: '/run/x' }],
  ['ws+unix:/x y', { scheme: 'ws', host: '', port: 0, path: '/mqtt', socketFile: '/x y' }],
  ['systemd:a.socket', { scheme: 'mqtt', host: '', port: 0, path: '', systemdName: 'a.socket' }],
  ['mqtts+systemd:b', { scheme: 'mqtts', host: '', port: 0, path: '', systemdName: 'b' }],
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
  ['mqtts://127.0.0.1/topic', 'no path'],
  ['tls://127.0.0.1', 'write mqtts in its place'],
  ['quic://127.0.0.1', 'quic:// is unknown'],
  ['unix:run/mqtt', 'the whole path'],
  ['unix:/run/', 'the whole path'],
  ['unix:', 'the whole path'],
  ['ftp+unix:/run/x', 'ftp+unix: is unknown'],
  ['systemd:', 'the name of a socket'],
  ['systemd:a b', 'the name of a socket'],
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

test('a socket file is reached from this machine alone, what systemd opens perhaps not', () => {
  const local = (url: string) => isLocal(parseListenUrl(url) as ListenAddress);
  expect(['unix:/run/x', 'mqtt://127.0.0.1', 'wss+unix:/run/y'].every(local)).toBe(true);
  expect(['systemd:x', 'mqtts://0.0.0.0'].some(local)).toBe(false);
});
