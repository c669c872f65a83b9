import { repeatedly } from '../faults.js';
import type { Cast, Scenario } from '../scenario.js';
import { SimClient } from '../sim-client.js';
import { WillClient } from '../will-client.js';
import { keepPublishing, persistentClients } from './traffic.js';

const SHARED_TOPICS = ['s/a', 's/b'];

/** Members of shares come, go, and end their Sessions with messages in hand. [MQTT-4.8.2-4] */
export const shares: Scenario = {
  name: 'shares',
  options: () => ({}),
  begin: (world): Cast => {
    const { chance } = world;
    const publishers = persistentClients(world, 2);
    const members = Array.from({ length: 4 }, (_, i) => {
      return new SimClient(world, {
        name: `m${i}`,
        version: 5,
        isPersistent: i === 0 || chance.percent(60),
        receiveMaximum: world.options.clientReceiveMaximum,
      });
    });
    const other = new SimClient(world, { name: 'other', version: 4, isPersistent: true });
    const clients = [...publishers, ...members, other];
    for (const client of clients) client.connect();
    for (const member of members) member.subscribe('$share/g/s/#', chance.pick([1, 2]));
    other.subscribe('$share/h/s/a', 2);
    keepPublishing(world, publishers, SHARED_TOPICS);
    repeatedly(world, 'member moves', 150, () => {
      const member = chance.pick(members);
      if (member !== members[0] && chance.percent(40)) member.discardSession();
      if (chance.percent(50)) member.drop();
      else {
        member.disconnect();
        world.after(chance.between(10, 800), 'member is back', () => {
          if (!world.isCalm) member.connect();
        });
      }
    });
    return { clients, rude: [], wills: [] };
  },
};

/** Wills, with delay and without, of clients that end in every way. */
export const wills: Scenario = {
  name: 'wills',
  options: () => ({ activeMs: 12_000, publishEveryMs: 60 }),
  patienceMs: 40_000,
  begin: (world): Cast => {
    const { chance } = world;
    const watcher = persistentClients(world, 1);
    watcher[0]!.connect();
    watcher[0]!.subscribe('will/#', 2);
    const mortals = Array.from({ length: 4 }, (_, i) => {
      const isPersistent = chance.percent(70);
      return new WillClient(world, {
        name: `w${i}`,
        version: chance.pick([4, 5, 5]),
        isPersistent,
        keepAliveSeconds: 2,
        willTopic: `will/${i}`,
        delaySeconds: chance.pick([0, 1, 12]),
        ...(isPersistent && chance.percent(30) ? { expirySeconds: chance.pick([3, 60]) } : {}),
      });
    });
    world.after(500, 'mortals', () => {
      for (const mortal of mortals) mortal.connect();
    });
    repeatedly(world, 'end', 300, () => {
      const mortal = chance.pick(mortals);
      const how = chance.below(4);
      if (how === 0) mortal.vanish();
      else if (how === 1) mortal.drop();
      else if (how === 2) mortal.disconnect();
      else mortal.leave();
      if (how < 2) return;
      world.after(chance.between(5, 15_000), 'mortal is back', () => {
        if (!world.isCalm) mortal.connect();
      });
    });
    return { clients: [...watcher, ...mortals], rude: [], wills: mortals };
  },
};
