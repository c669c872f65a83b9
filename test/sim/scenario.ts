import type { SimClient } from './sim-client.js';
import type { SwarmOptions } from './swarm.js';
import type { WillClient } from './will-client.js';
import type { World } from './world.js';

/** Who is in a world. All keep to the protocol but the rude. */
export interface Cast {
  readonly clients: readonly SimClient[];
  readonly rude: readonly SimClient[];
  readonly wills: readonly WillClient[];
}

export interface Scenario {
  readonly name: string;
  /** What this scenario needs otherwise than the swarm has drawn it. */
  options(drawn: SwarmOptions, seed: number): Partial<SwarmOptions>;
  /** Brings the clients into the world and plans what they do. */
  begin(world: World): Cast;
  /** How long to wait for what is delayed, once all is calm. */
  readonly patienceMs?: number;
}
