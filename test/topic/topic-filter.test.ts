import { describe, expect, it } from 'vitest';
import { matches, parseTopicFilter } from '../../src/topic/topic-filter.js';
import { limits } from './arbitraries.js';

describe('parseTopicFilter', () => {
  it.each([
    ['a', undefined, 'a', false],
    ['/', undefined, '/', false],
    ['a/b/', undefined, 'a/b/', false],
    ['#', undefined, '#', true],
    ['+', undefined, '+', true],
    ['a/+/c/#', undefined, 'a/+/c/#', true],
    ['+/+', undefined, '+/+', true],
    ['/#', undefined, '/#', true],
    ['$SYS/#', undefined, '$SYS/#', true],
    ['$share', undefined, '$share', false],
    ['$shared/a/b', undefined, '$shared/a/b', false],
    ['$share/s/a', 's', 'a', false],
    ['$share/s//', 's', '/', false],
    ['$share/s//a', 's', '/a', false],
    ['$share/s/+/b/#', 's', '+/b/#', true],
    ['$share/s/$share/t/a', 's', '$share/t/a', false],
  ])('accepts %j', (filter, shareName, topicFilter, hasWildcard) => {
    const parsed = parseTopicFilter(filter, limits);
    expect(parsed).toEqual({ filter, shareName, topicFilter, hasWildcard });
  });

  it.each(['', 'a#', '#a', '#/a', 'a/#/b', '##', '#/', 'a+', '+a', 'a/b+/c', '++', '+#', 'a\0'])(
    'refuses %j [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.7.3-2]',
    (filter) => {
      expect(parseTopicFilter(filter, limits)).toBeUndefined();
    },
  );

  it.each([
    '$share/',
    '$share/s',
    '$share/s/',
    '$share//a',
    '$share//',
    '$share/+/a',
    '$share/s#/a',
  ])('refuses %j [MQTT-4.8.2-1] [MQTT-4.8.2-2]', (filter) => {
    expect(parseTopicFilter(filter, limits)).toBeUndefined();
  });

  it('refuses invalid filters behind a ShareName', () => {
    expect(parseTopicFilter('$share/s/a#', limits)).toBeUndefined();
    expect(parseTopicFilter('$share/s/#/a', limits)).toBeUndefined();
  });

  it('obeys the limits', () => {
    const tight = { topicLevelsMax: 3, topicBytesMax: 8 };
    expect(parseTopicFilter('a/b/#', tight)).toBeDefined();
    expect(parseTopicFilter('a/b/c/#', tight)).toBeUndefined();
    expect(parseTopicFilter('12345678', tight)).toBeDefined();
    expect(parseTopicFilter('123456789', tight)).toBeUndefined();
  });
});

describe('matches', () => {
  it.each([
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['#', 'a/b', true],
    ['#', '/', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['+', 'finance', true],
    ['+/tennis/#', 'sport/tennis', true],
    ['a/b', 'a/b', true],
    ['a/b', 'a/b/c', false],
    ['a/b/c', 'a/b', false],
    ['A', 'a', false],
    ['/a', 'a', false],
    ['a/', 'a', false],
    ['\u00e9', 'e\u0301', false],
  ])('%j against %j is %j', (filter, name, expected) => {
    expect(matches(filter, name)).toBe(expected);
  });

  it.each([
    ['#', '$SYS/x', false],
    ['+/monitor/Clients', '$SYS/monitor/Clients', false],
    ['$SYS/#', '$SYS/x', true],
    ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
    ['a/#', 'a/$b', true],
    ['a/+', 'a/$b', true],
    ['+/#', '$', false],
  ])('%j against %j is %j [MQTT-4.7.2-1]', (filter, name, expected) => {
    expect(matches(filter, name)).toBe(expected);
  });
});
