/** Longer names are not kept whole. */
const LENGTH_MAX = 64;

/**
 * A key for tables whose keys strangers choose: a name may have 64 KiB, and thousands of them are
 * more memory than there is. Who wants two long names to share a key finds such; where that would
 * matter this is not for it.
 */
export function shortKey(name: string): string {
  if (name.length <= LENGTH_MAX) return name;
  let one = 0x811c9dc5;
  let other = 5381;
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    one = Math.imul(one ^ unit, 0x01000193);
    other = (Math.imul(other, 33) + unit) | 0;
  }
  return `#${name.length} ${one >>> 0} ${other >>> 0}`;
}
