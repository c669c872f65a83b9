import { SeededRandom } from '../../src/base/random.js';
import { RetainedTree } from '../../src/topic/retained-tree.js';
import { RouteCache } from '../../src/topic/route-cache.js';
import { SubscriptionTree } from '../../src/topic/subscription-tree.js';
import { type MicroTask, sink } from './task.js';

const NAMES = 1000;
const ROUTE_BYTES_MAX = 2 ** 27;

export function topicTasks(): MicroTask[] {
  return [
    match('subscription tree, match among 1,000 exact', 1000, false),
    match('subscription tree, match among 100,000 exact', 100_000, false),
    match('subscription tree, match among 1,000 wildcard', 1000, true),
    match('subscription tree, match among 100,000 wildcard', 100_000, true),
    insertAndRemove(),
    lookup('route of a known Topic Name', false),
    lookup('route after each change of a filter elsewhere', true),
    retainedSet(),
    retainedMatch(),
  ];
}

function nameOf(index: number): string {
  return `load/site-${index % 100}/device/${index}/state`;
}

function filterOf(index: number, wildcard: boolean): string {
  return wildcard ? `load/site-${index % 100}/+/${index}/#` : nameOf(index);
}

function treeOf(filters: number, wildcard: boolean): SubscriptionTree<object> {
  const tree = new SubscriptionTree<object>();
  for (let i = 0; i < filters; i++) tree.insert(filterOf(i, wildcard), { i });
  return tree;
}

function match(name: string, filters: number, wildcard: boolean): MicroTask {
  const tree = treeOf(filters, wildcard);
  const step = filters / NAMES;
  const names = Array.from({ length: NAMES }, (_, i) => nameOf(i * step));
  const visit = (): void => {
    sink.value++;
  };
  const run = (): void => {
    for (const topicName of names) tree.match(topicName, visit);
  };
  return { name, operations: NAMES, run };
}

function insertAndRemove(): MicroTask {
  const tree = treeOf(100_000, true);
  const filters = Array.from({ length: NAMES }, (_, i) => `load/site-${i % 100}/+/new-${i}/#`);
  const value = {};
  const run = (): void => {
    for (const filter of filters) tree.insert(filter, value);
    for (const filter of filters) tree.remove(filter, value);
  };
  return { name: 'subscription tree, insert and remove wildcard', operations: NAMES, run };
}

function lookup(name: string, changes: boolean): MicroTask {
  const tree = treeOf(10_000, true);
  const routes = new RouteCache<number>({
    topicLevelsMax: 200,
    topicBytesMax: 65_535,
    entriesMax: 100_000,
    bytesMax: ROUTE_BYTES_MAX,
    random: new SeededRandom(1),
    bytesOf: () => 64,
    compute: (topicName) => {
      let found = 0;
      tree.match(topicName, () => found++);
      return found;
    },
  });
  const names = Array.from({ length: NAMES }, (_, i) => Buffer.from(nameOf(i)));
  const run = (): void => {
    for (let i = 0; i < NAMES; i++) {
      const bytes = names[i]!;
      if (changes) routes.filterChanged('other/+/state');
      const entry = routes.lookup(bytes, 0, bytes.length);
      if (entry !== undefined) sink.value += routes.route(entry);
    }
  };
  return { name, operations: NAMES, run };
}

function retainedSet(): MicroTask {
  const tree = new RetainedTree<object>();
  const names = Array.from({ length: NAMES }, (_, i) => nameOf(i));
  const message = {};
  const run = (): void => {
    for (const name of names) tree.set(name, message);
    for (const name of names) tree.delete(name);
  };
  return { name: 'retained tree, set and delete', operations: NAMES, run };
}

function retainedMatch(): MicroTask {
  const tree = new RetainedTree<object>();
  for (let i = 0; i < NAMES; i++) tree.set(nameOf(i), { i });
  const visit = (): void => {
    sink.value++;
  };
  return {
    name: 'retained tree, each message found by load/#',
    operations: NAMES,
    run: () => tree.match('load/#', visit),
  };
}
