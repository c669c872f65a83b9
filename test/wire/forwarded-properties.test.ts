import { describe, expect, it } from 'vitest';
import {
  decodeForwardedProperties,
  encodeForwardedProperties,
} from '../../src/wire/forwarded-properties.js';
import { bytes, refusal } from './bytes.js';

const VALUES = {
  payloadFormatIndicator: 1,
  contentType: 'c',
  responseTopic: 'r',
  correlationData: bytes('07'),
  userProperties: [
    ['k', '2'],
    ['k', '1'],
  ],
} as const;
const ENCODED = bytes(
  "01 01 03 00 01 'c' 08 00 01 'r' 09 00 01 07 26 00 01 'k' 00 01 '2' 26 00 01 'k' 00 01 '1'",
);

describe('forwarded properties', () => {
  it('are written without a length and read back', () => {
    expect(encodeForwardedProperties(VALUES)).toEqual(ENCODED);
    expect(decodeForwardedProperties(ENCODED)).toEqual(VALUES);
    expect(encodeForwardedProperties({}).length).toBe(0);
    expect(decodeForwardedProperties(new Uint8Array(0))).toEqual({});
  });

  it('leave out what belongs to one delivery alone', () => {
    const values = { ...VALUES, topicAlias: 3, messageExpiryIntervalSeconds: 9 };
    expect(encodeForwardedProperties(values)).toEqual(ENCODED);
  });

  it('are refused where they are broken', () => {
    expect(refusal(() => decodeForwardedProperties(bytes('03 00 05')))).toBe('81');
  });
});
