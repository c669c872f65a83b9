import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.js';
import {
  ShareGroup,
  type ShareMemberView,
  type ShareStrategy,
} from '../../src/topic/shared-subscription.js';

interface Worker {
  readonly id: string;
  online: boolean;
  inFlight: number;
}

const strategies: readonly ShareStrategy[] = [
  'round-robin',
  'random',
  'sticky',
  'least-inflight',
  'hash-client',
  'hash-topic',
];

const view: ShareMemberView<Worker> = {
  online: (worker) => worker.online,
  inFlight: (worker) => worker.inFlight,
};

function workers(count: number): Worker[] {
  return Array.from({ length: count }, (_, i) => ({ id: `w${i}`, online: true, inFlight: 0 }));
}

function groupOf(strategy: ShareStrategy, members: readonly Worker[]): ShareGroup<Worker> {
  const group = new ShareGroup<Worker>(strategy);
  for (const member of members) group.add(member, member.id);
  return group;
}

function chooseMany(group: ShareGroup<Worker>, count: number, excluded?: Worker): string[] {
  const random = new SeededRandom(9);
  return Array.from(
    { length: count },
    (_, i) => group.choose(`topic/${i}`, `client-${i}`, view, random, excluded)?.id ?? 'nobody',
  );
}

describe.each(strategies)('ShareGroup, %s', (strategy) => {
  it('chooses a member that is online and not excluded, else one that is not excluded', () => {
    const change = fc.record({
      worker: fc.nat(5),
      what: fc.constantFrom('add', 'remove', 'on', 'off', 'choose', 'choose', 'exclude'),
      inFlight: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const all = workers(6);
        const group = new ShareGroup<Worker>(strategy);
        const model = new Set<Worker>();
        const random = new SeededRandom(4);
        for (const { worker, what, inFlight } of changes) {
          const one = all[worker]!;
          one.inFlight = inFlight;
          if (what === 'add') {
            expect(group.add(one, one.id)).toBe(!model.has(one));
            model.add(one);
          } else if (what === 'remove') {
            expect(group.remove(one)).toBe(model.delete(one));
          } else if (what === 'on' || what === 'off') {
            one.online = what === 'on';
          } else {
            const excluded = what === 'exclude' ? one : undefined;
            const candidates = [...model].filter((member) => member !== excluded);
            const online = candidates.filter((member) => member.online);
            const chosen = group.choose(`t/${inFlight}`, one.id, view, random, excluded);
            if (candidates.length === 0) expect(chosen).toBeUndefined();
            else expect(online.length > 0 ? online : candidates).toContain(chosen);
          }
          expect(group.size).toBe(model.size);
          expect(new Set(group.members())).toEqual(model);
        }
      }),
    );
  });

  it('forgets members whatever the order in which they leave', () => {
    const leavers = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 1 });
    fc.assert(
      fc.property(leavers, (order) => {
        const members = workers(6);
        const group = groupOf(strategy, members);
        const left = new Set(members.map((member) => member.id));
        for (const i of order) {
          expect(group.remove(members[i]!)).toBe(true);
          left.delete(`w${i}`);
          const chosen = new Set(chooseMany(group, 60));
          if (left.size === 0) expect(chosen).toEqual(new Set(['nobody']));
          else for (const id of chosen) expect(left).toContain(id);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('uses every member, unless it is sticky', () => {
    const chosen = new Set(chooseMany(groupOf(strategy, workers(5)), 300));
    expect(chosen.size).toBe(strategy === 'sticky' ? 1 : 5);
  });
});

describe('ShareGroup', () => {
  it('goes round in turn, past those who are offline', () => {
    const members = workers(4);
    members[1]!.online = false;
    const group = groupOf('round-robin', members);
    expect(chooseMany(group, 6)).toEqual(['w0', 'w2', 'w3', 'w0', 'w2', 'w3']);
    for (const member of members) member.online = false;
    expect(chooseMany(group, 4)).toEqual(['w0', 'w1', 'w2', 'w3']);
    expect(chooseMany(group, 3, members[0])).toEqual(['w1', 'w2', 'w3']);
  });

  it('takes the member with least in flight, in turn among equals', () => {
    const members = workers(3);
    members[0]!.inFlight = 5;
    const group = groupOf('least-inflight', members);
    expect(chooseMany(group, 4)).toEqual(['w1', 'w2', 'w1', 'w2']);
    members[2]!.inFlight = 1;
    expect(chooseMany(group, 2)).toEqual(['w1', 'w1']);
  });

  it('stays with a member until it goes offline, leaves or is excluded', () => {
    const members = workers(3);
    const group = groupOf('sticky', members);
    expect(chooseMany(group, 3)).toEqual(['w0', 'w0', 'w0']);
    members[0]!.online = false;
    expect(chooseMany(group, 2)).toEqual(['w1', 'w1']);
    members[0]!.online = true;
    expect(chooseMany(group, 1)).toEqual(['w1']);
    group.remove(members[1]!);
    expect(chooseMany(group, 2)).toEqual(['w0', 'w0']);
    expect(chooseMany(group, 2, members[0])).toEqual(['w2', 'w2']);
    expect(chooseMany(group, 1)).toEqual(['w2']);
  });

  it.each(['hash-client', 'hash-topic'] as const)(
    '%s gives a key to the same member, also after a restart, and moves few when one leaves',
    (strategy) => {
      const members = workers(8);
      const before = chooseMany(groupOf(strategy, members), 800);
      expect(chooseMany(groupOf(strategy, members.toReversed()), 800)).toEqual(before);
      members[3]!.online = false;
      const after = chooseMany(groupOf(strategy, members), 800);
      const moved = before.filter((id, i) => id !== after[i]);
      expect(new Set(moved)).toEqual(new Set(['w3']));
      expect(moved.length).toBeGreaterThan(50);
      expect(moved.length).toBeLessThan(150);
    },
  );

  it('hashes what its strategy names and nothing else', () => {
    const random = new SeededRandom(1);
    const byClient = groupOf('hash-client', workers(50));
    const byTopic = groupOf('hash-topic', workers(50));
    for (let i = 0; i < 20; i++) {
      expect(byClient.choose(`t/${i}`, 'c', view, random)?.id).toBe(
        byClient.choose('t', 'c', view, random)?.id,
      );
      expect(byTopic.choose('t', `c${i}`, view, random)?.id).toBe(
        byTopic.choose('t', 'c', view, random)?.id,
      );
    }
  });
});

it('does not look through members that are all away again before somebody has come', () => {
  const all = workers(100);
  const group = groupOf('round-robin', all);
  for (const worker of all) worker.online = false;
  let asked = 0;
  const counting = {
    ...view,
    arrivals: 7,
    online: (worker: Worker): boolean => {
      asked++;
      return worker.online;
    },
  };
  const random = new SeededRandom(1);
  const choose = (): string => group.choose('t', 'c', counting, random)!.id;
  expect([choose(), choose(), choose()]).toEqual(['w0', 'w1', 'w2']);
  expect(asked).toBe(100);
  all[50]!.online = true;
  counting.arrivals++;
  expect(choose()).toBe('w50');
});
