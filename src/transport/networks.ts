import { BlockList, isIP } from 'node:net';

/** Whether an address belongs to one of the networks; what is no IP address belongs to none. */
export function isAmong(networks: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && networks.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Networks such as `10.0.0.0/8`, or single addresses; undefined where one of them is none. */
export function networksOf(texts: readonly string[]): BlockList | undefined {
  const networks = new BlockList();
  return texts.every((text) => addNetwork(networks, text)) ? networks : undefined;
}

function addNetwork(networks: BlockList, text: string): boolean {
  const [, address = '', bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const family = isIP(address);
  const bitsMax = family === 4 ? 32 : 128;
  if (family === 0 || Number(bits ?? 0) > bitsMax) return false;
  networks.addSubnet(address, Number(bits ?? bitsMax), family === 4 ? 'ipv4' : 'ipv6');
  return true;
}
