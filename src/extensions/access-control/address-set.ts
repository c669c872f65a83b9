import { BlockList, isIP } from 'node:net';
import type { AddressSet } from './who.js';

/** Addresses and networks such as `192.168.1.0/24`; returns the first that is neither. */
export function addressSet(written: readonly string[]): AddressSet | { readonly wrong: string } {
  const list = new BlockList();
  for (const text of written) {
    if (!addTo(list, text)) return { wrong: text };
  }
  return { written, list };
}

function addTo(list: BlockList, text: string): boolean {
  const slash = text.indexOf('/');
  const network = slash < 0 ? text : text.slice(0, slash);
  const version = isIP(network);
  if (version === 0) return false;
  const type = version === 4 ? 'ipv4' : 'ipv6';
  if (slash < 0) {
    list.addAddress(network, type);
    return true;
  }
  const prefix = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > (version === 4 ? 32 : 128)) return false;
  list.addSubnet(network, Number(prefix), type);
  return true;
}

/** The host of an address with port, as hooks see it: `192.0.2.1:50712`, `[2001:db8::1]:50712`. */
export function hostOf(address: string): string {
  const bracket = address.indexOf(']');
  if (address.startsWith('[') && bracket > 0) return address.slice(1, bracket);
  const colon = address.lastIndexOf(':');
  return colon < 0 ? address : address.slice(0, colon);
}
