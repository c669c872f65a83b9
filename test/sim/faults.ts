import type { SimClient } from './sim-client.js';
import type { SimLink } from './sim-link.js';
import type { World } from './world.js';

/** What the seed has drawn goes wrong, from now until the world is calm. */
export function beginFaults(world: World, clients: readonly SimClient[]): void {
  const { options, chance } = world;
  repeatedly(world, 'reset', options.resetEveryMs, () => anyLink(world)?.reset());
  repeatedly(world, 'vanish', options.vanishEveryMs, () => chance.pick(clients).vanish());
  repeatedly(world, 'clog', options.clogEveryMs, () => clogAny(world));
  repeatedly(world, 'crash', options.crashEveryMs, () => world.crash());
}

/** Runs again and again, about so many ms apart, while things may go wrong; 0 is never. */
export function repeatedly(world: World, label: string, everyMs: number, run: () => void): void {
  if (everyMs === 0) return;
  const delayMs = world.chance.between(Math.ceil(everyMs / 2), Math.ceil(everyMs * 1.5));
  world.after(delayMs, label, () => {
    if (world.isCalm) return;
    run();
    repeatedly(world, label, everyMs, run);
  });
}

/** FoundationDB's swizzle: links stop one after the other, and go on in another order. */
export function swizzleClog(world: World): void {
  const { chance } = world;
  const links = [...world.links].filter(() => chance.percent(60));
  let delayMs = 0;
  for (const link of links) {
    delayMs += chance.below(100);
    world.after(delayMs, 'swizzle', () => clog(link, 60_000));
  }
  const shuffled = links.map((link) => ({ link, at: chance.below(1000) }));
  shuffled.sort((a, b) => a.at - b.at);
  for (const { link } of shuffled) {
    delayMs += chance.below(200);
    world.after(delayMs, 'swizzle back', () => unclog(link));
  }
}

export function unclog(link: SimLink): void {
  link.toServer.unclog();
  link.toClient.unclog();
}

function clog(link: SimLink, forMs: number): void {
  link.toServer.clog(forMs);
  link.toClient.clog(forMs);
}

function clogAny(world: World): void {
  const link = anyLink(world);
  if (link === undefined) return;
  const pipe = world.chance.pick([link.toServer, link.toClient]);
  pipe.clog(world.chance.between(20, 1500));
}

function anyLink(world: World): SimLink | undefined {
  const links = [...world.links];
  return links.length === 0 ? undefined : world.chance.pick(links);
}
