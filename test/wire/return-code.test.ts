import { describe, expect, it } from 'vitest';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { reasonCodeOfReturnCode, returnCodeOfReasonCode } from '../../src/wire/return-code.js';
import { refusal } from './bytes.js';

describe('CONNACK return codes of 3.1 and 3.1.1', () => {
  it.each([
    [0x00, 0],
    [0x84, 1],
    [0x85, 2],
    [0x88, 3],
    [0x89, 3],
    [0x97, 3],
    [0x9f, 3],
    [0x80, 3],
    [0x86, 4],
    [0x87, 5],
    [0x8a, 5],
    [0x8c, 5],
    [0x9b, 5],
  ] as [ReasonCode, number][])('makes Reason Code %i the return code %i', (reasonCode, code) => {
    expect(returnCodeOfReasonCode(reasonCode)).toBe(code);
  });

  it('accepts nothing but Success', () => {
    for (const code of Object.values(ReasonCode)) {
      if (code >= 0x80) expect(returnCodeOfReasonCode(code)).toBeGreaterThan(0);
    }
  });

  it('reads back what it wrote', () => {
    for (let code = 0; code <= 5; code++) {
      expect(returnCodeOfReasonCode(reasonCodeOfReturnCode(code))).toBe(code);
    }
    expect(refusal(() => reasonCodeOfReturnCode(6))).toBe('82');
  });
});
