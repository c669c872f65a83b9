import { open } from 'node:fs/promises';
import { crc32c } from './crc32c.js';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const READ_BYTES = 32 * BLOCK_BYTES;

const FULL = 1;
const FIRST = 2;
const LAST = 4;

/**
 * Looks through one of LevelDB's write-ahead logs for damage that LevelDB would step over in
 * silence.
 *
 *   block (32 KiB)  [crc(4) length(2) type(1) data] [crc length type data] … [< 7 zero bytes]
 *
 * A tail that does not check is what a power cut leaves of the one batch that was in flight, and
 * was never acknowledged. A batch that begins behind such a place was written after it, so the
 * place had been on disk once. Returns where, or undefined when all is well.
 */
export async function findDamage(file: string): Promise<number | undefined> {
  const handle = await open(file, 'r');
  try {
    const bytes = new Uint8Array(READ_BYTES);
    let gapAt: number | undefined;
    for (let offset = 0; ; ) {
      const { bytesRead } = await handle.read(bytes, 0, READ_BYTES, offset);
      if (bytesRead === 0) return undefined;
      for (let at = 0; at < bytesRead; at += BLOCK_BYTES) {
        const block = bytes.subarray(at, Math.min(at + BLOCK_BYTES, bytesRead));
        const found = checkBlock(block, gapAt !== undefined);
        if (found.beginsAfterGap) return gapAt ?? offset + at;
        gapAt ??= found.gapAt === undefined ? undefined : offset + at + found.gapAt;
      }
      offset += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

interface BlockFindings {
  readonly gapAt: number | undefined;
  /** Whether a batch begins here although something before it does not check. */
  readonly beginsAfterGap: boolean;
}

function checkBlock(block: Uint8Array, isAfterGap: boolean): BlockFindings {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  let at = 0;
  while (at + HEADER_BYTES <= block.length) {
    const length = view.getUint16(at + 4, true);
    const type = block[at + 6]!;
    const end = at + HEADER_BYTES + length;
    const checks =
      type >= FULL &&
      type <= LAST &&
      end <= block.length &&
      unmask(view.getUint32(at, true)) === crc32c(block, at + 6, end);
    // Behind a record that does not check, its length cannot be trusted: the block is lost.
    if (!checks) return { gapAt: at, beginsAfterGap: false };
    if (isAfterGap && (type === FULL || type === FIRST)) {
      return { gapAt: undefined, beginsAfterGap: true };
    }
    at = end;
  }
  return { gapAt: undefined, beginsAfterGap: false };
}

/** LevelDB stores its checksums turned and shifted. */
function unmask(masked: number): number {
  const turned = (masked - 0xa282_ead8) >>> 0;
  return ((turned >>> 17) | (turned << 15)) >>> 0;
}
