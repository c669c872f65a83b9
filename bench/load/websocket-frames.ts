/** The part of RFC 6455 that a load generator needs: binary frames, both ways. */

const BINARY_FRAME = 0x82;
const MASKED = 0x80;
const MASK_BYTES = 4;

export function upgradeRequest(host: string, port: number): string {
  return [
    'GET /mqtt HTTP/1.1',
    `Host: ${host}:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: ZHVubGluLWJlbmNobWFyaw==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: mqtt',
    '\r\n',
  ].join('\r\n');
}

/**
 * Puts bytes in one frame. The masking key is zero, which leaves the bytes as they are: the broker
 * unmasks them like any others, and the generator has no work with them.
 */
export function binaryFrame(bytes: Uint8Array): Buffer {
  const { length } = bytes;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const start = 2 + lengthBytes + MASK_BYTES;
  const frame = Buffer.alloc(start + length);
  frame[0] = BINARY_FRAME;
  if (lengthBytes === 0) frame[1] = MASKED | length;
  else if (lengthBytes === 2) {
    frame[1] = MASKED | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = MASKED | 127;
    frame.writeUInt32BE(length, 6);
  }
  frame.set(bytes, start);
  return frame;
}

export type BytesSink = (bytes: Uint8Array, from: number, to: number) => void;

const HTTP_END = Buffer.from('\r\n\r\n');
const HEADER_BYTES_MAX = 10;

/** Takes the answer to the upgrade and then frames, and gives their payload on where it lies. */
export class WebSocketReader {
  readonly #sink: BytesSink;
  readonly #upgraded: () => void;
  #answer = Buffer.alloc(0);
  #isUpgraded = false;
  readonly #header = Buffer.alloc(HEADER_BYTES_MAX);
  #headerBytes = 0;
  #payloadLeft = 0;
  #isControl = false;

  constructor(upgraded: () => void, sink: BytesSink) {
    this.#upgraded = upgraded;
    this.#sink = sink;
  }

  read(bytes: Uint8Array, length: number): void {
    let at = this.#isUpgraded ? 0 : this.#readAnswer(bytes, length);
    while (at < length) {
      if (this.#payloadLeft === 0) {
        at = this.#readHeader(bytes, at, length);
        continue;
      }
      const end = Math.min(length, at + this.#payloadLeft);
      if (!this.#isControl) this.#sink(bytes, at, end);
      this.#payloadLeft -= end - at;
      at = end;
    }
  }

  #readAnswer(bytes: Uint8Array, length: number): number {
    const before = this.#answer.length;
    this.#answer = Buffer.concat([this.#answer, bytes.subarray(0, length)]);
    const end = this.#answer.indexOf(HTTP_END);
    if (end < 0) return length;
    if (!this.#answer.toString('latin1', 0, 12).endsWith(' 101')) {
      throw new Error(`no upgrade: ${this.#answer.toString('latin1', 0, end)}`);
    }
    this.#isUpgraded = true;
    this.#upgraded();
    return end + HTTP_END.length - before;
  }

  /** Takes one byte of a header; the last one tells how long the payload is. */
  #readHeader(bytes: Uint8Array, at: number, length: number): number {
    let next = at;
    while (next < length) {
      this.#header[this.#headerBytes++] = bytes[next++]!;
      if (this.#headerBytes < 2 || this.#headerBytes < this.#wantedHeaderBytes()) continue;
      this.#payloadLeft = this.#payloadBytes();
      this.#isControl = (this.#header[0]! & 0x08) !== 0;
      this.#headerBytes = 0;
      break;
    }
    return next;
  }

  #wantedHeaderBytes(): number {
    const code = this.#header[1]! & 0x7f;
    return code < 126 ? 2 : code === 126 ? 4 : HEADER_BYTES_MAX;
  }

  #payloadBytes(): number {
    const code = this.#header[1]! & 0x7f;
    if (code < 126) return code;
    return code === 126 ? this.#header.readUInt16BE(2) : Number(this.#header.readBigUInt64BE(2));
  }
}
