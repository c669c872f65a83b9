/** Builds headers of version 2 from the specification's layout, apart from the code that reads them. */
export function version2(command: number, family: number, ...parts: Buffer[]): Buffer {
  const rest = Buffer.concat(parts);
  const head = Buffer.from('0d0a0d0a000d0a515549540a00000000', 'hex');
  head[12] = command;
  head[13] = family;
  head.writeUInt16BE(rest.length, 14);
  return Buffer.concat([head, rest]);
}

/** Type, length, value. */
export function addition(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(3);
  head[0] = type;
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}
