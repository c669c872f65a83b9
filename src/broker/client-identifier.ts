import type { Random } from '../base/random.js';

/** 96 random bits in the letters that every client accepts. [MQTT-3.1.3-5] */
export function newClientIdentifier(random: Random, prefix: string): string {
  const letters = '0123456789abcdefghijkmnpqrstvwxyz';
  let identifier = prefix;
  for (let i = 0; i < 20; i++) identifier += letters[random.below(letters.length)];
  return identifier;
}
