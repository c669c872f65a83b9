import { generate, type Packet, parser } from 'mqtt-packet';

/** A packet as mqtt-packet has it, so that our codec is not judged by itself. */
export type Fields = { readonly [name: string]: unknown };

export function encoded(fields: Fields, version: 3 | 4 | 5): Uint8Array {
  return generate(fields as unknown as Packet, { protocolVersion: version });
}

/** All packets of the bytes, which must be whole. */
export function decoded(bytes: Uint8Array, version: 3 | 4 | 5): Fields[] {
  const packets: Fields[] = [];
  const decoder = parser({ protocolVersion: version });
  decoder.on('packet', (packet) => packets.push(packet as unknown as Fields));
  decoder.on('error', (error) => {
    throw error;
  });
  const left = decoder.parse(Buffer.from(bytes));
  if (left > 0) throw new Error(`${left} bytes are no whole packet`);
  return packets;
}
