import { expect, test } from 'vitest';
import {
  announcedCapabilities,
  grantedExpirySeconds,
  grantedInFlight,
  grantedKeepAliveSeconds,
} from '../../src/broker/capabilities.js';
import { defaultLimits } from '../../src/session/limits.js';
import type { Connect } from '../../src/wire/control-packet.js';

const connect = {
  protocolVersion: 5,
  cleanStart: true,
  keepAliveSeconds: 60,
  sessionExpiryIntervalSeconds: 0,
  receiveMaximum: 65_535,
} as Connect;

function present(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

test('CONNACK tells what is less than the specification allows, and nothing else', () => {
  const generous = { ...defaultLimits, receiveMaximum: 65_535, topicAliasMaximum: 0 };
  const { packetBytesMax: maximumPacketSizeBytes } = defaultLimits;
  expect(present(announcedCapabilities(generous))).toEqual({ maximumPacketSizeBytes });
  const mean = {
    ...defaultLimits,
    receiveMaximum: 65_534,
    topicAliasMaximum: 1,
    qosMax: 0,
    retainAvailable: false,
    wildcardSubscriptionAvailable: false,
    subscriptionIdentifiersAvailable: false,
    sharedSubscriptionAvailable: false,
  } as const;
  expect(present(announcedCapabilities(mean))).toEqual({
    maximumPacketSizeBytes,
    receiveMaximum: 65_534,
    topicAliasMaximum: 1,
    maximumQoS: 0,
    retainAvailable: false,
    wildcardSubscriptionAvailable: false,
    subscriptionIdentifiersAvailable: false,
    sharedSubscriptionAvailable: false,
  });
});

test('a Session lives as long as asked, up to the limit; before 5.0 as Clean Session says', () => {
  const limits = { ...defaultLimits, sessionExpirySecondsMax: 100, legacySessionExpirySeconds: 7 };
  const asked = (sessionExpiryIntervalSeconds: number): number =>
    grantedExpirySeconds({ ...connect, sessionExpiryIntervalSeconds }, limits);
  expect([asked(0), asked(99), asked(101), asked(0xffff_ffff)]).toEqual([0, 99, 100, 100]);
  const legacy = { ...connect, protocolVersion: 4 } as Connect;
  expect(grantedExpirySeconds(legacy, limits)).toBe(0);
  expect(grantedExpirySeconds({ ...legacy, cleanStart: false }, limits)).toBe(7);
});

test('Keep Alive is the client own, or the limit for 5.0', () => {
  const limits = { ...defaultLimits, keepAliveSecondsMax: 100 };
  const asked = (keepAliveSeconds: number, protocolVersion: 4 | 5): number =>
    grantedKeepAliveSeconds({ ...connect, keepAliveSeconds, protocolVersion }, limits);
  expect([asked(0, 5), asked(99, 5), asked(101, 5)]).toEqual([100, 99, 100]);
  expect([asked(0, 4), asked(101, 4)]).toEqual([0, 101]);
  expect(grantedKeepAliveSeconds({ ...connect, keepAliveSeconds: 0 }, defaultLimits)).toBe(0);
});

test('in flight is what the client takes, up to the limit', () => {
  const limits = { ...defaultLimits, inFlightMax: 50, legacyInFlightMax: 3 };
  expect(grantedInFlight(connect, limits)).toBe(50);
  expect(grantedInFlight({ ...connect, receiveMaximum: 1 }, limits)).toBe(1);
  expect(grantedInFlight({ ...connect, protocolVersion: 4 }, limits)).toBe(3);
});
