import { copyBytes, LOOP_BYTES_MAX } from '../base/copy-bytes.js';
import type { FrameTemplate, PublishFrame } from '../wire/publish-frame.js';

/**
 * A PUBLISH into `target` at `at`: its head from the template, first byte and Packet Identifier
 * set, and its payload, unless that is shared.
 */
export function copyPublish(
  target: Uint8Array,
  at: number,
  frame: PublishFrame,
  template: FrameTemplate,
  firstByte: number,
  packetIdentifier: number,
  isShared: boolean,
): void {
  const { bytes, start, headEnd } = template;
  const isOnePiece = !isShared && template.isWhole;
  const end = isOnePiece ? frame.payloadEnd : headEnd;
  if (end - start > LOOP_BYTES_MAX) target.set(template.view(end), at);
  else copyBytes(target, at, bytes, start, end);
  if (!isShared && !isOnePiece) {
    copyBytes(target, at + headEnd - start, frame.payload, frame.payloadStart, frame.payloadEnd);
  }
  target[at] = firstByte;
  if (packetIdentifier !== 0) {
    const identifierAt = at + template.identifierAt - start;
    target[identifierAt] = packetIdentifier >>> 8;
    target[identifierAt + 1] = packetIdentifier & 0xff;
  }
}
