import { PacketType } from './control-packet.js';

const NAMES: string[] = ['reserved'];
for (const [name, type] of Object.entries(PacketType)) NAMES[type] = name;

/** The specification's name, for sentences and logs. */
export function packetTypeName(type: number): string {
  return NAMES[type] ?? 'reserved';
}
