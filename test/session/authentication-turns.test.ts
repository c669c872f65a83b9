import { expect, test } from 'vitest';
import { AuthenticationTurns } from '../../src/session/authentication-turns.js';
import { PacketType } from '../../src/wire/control-packet.js';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { refusal } from '../wire/bytes.js';

function auth(reasonCode: ReasonCode, authenticationMethod: string | undefined = 'M') {
  return { type: PacketType.AUTH, reasonCode, authenticationMethod };
}
const { ContinueAuthentication, ReAuthenticate, Success } = ReasonCode;

test('before CONNACK only answers, with the method of CONNECT', () => {
  const turns = new AuthenticationTurns();
  turns.check(auth(ContinueAuthentication), 'M', false);
  turns.check(auth(ContinueAuthentication), 'M', false);
  for (const wrong of [auth(ReAuthenticate), auth(Success)]) {
    expect(refusal(() => turns.check(wrong, 'M', false))).toBe('82 MQTT-4.12.0-3');
  }
  expect(refusal(() => turns.check(auth(ContinueAuthentication, 'N'), 'M', false))).toBe(
    '82 MQTT-4.12.1-1',
  );
  expect(refusal(() => turns.check(auth(ContinueAuthentication), undefined, false))).toBe(
    '82 MQTT-4.12.1-1',
  );
});

test('later the client begins, once at a time', () => {
  const turns = new AuthenticationTurns();
  const check = (reasonCode: ReasonCode): void => turns.check(auth(reasonCode), 'M', true);
  expect(refusal(() => check(ContinueAuthentication))).toBe('82 MQTT-4.12.0-3');
  check(ReAuthenticate);
  check(ContinueAuthentication);
  expect(refusal(() => check(ReAuthenticate))).toBe('82 MQTT-4.12.0-3');
  turns.ended();
  expect(refusal(() => check(ContinueAuthentication))).toBe('82 MQTT-4.12.0-3');
  check(ReAuthenticate);
});
