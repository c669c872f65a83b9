import { expect, test } from 'vitest';
import { type ProcessMemory, SpareMemory } from '../../src/server/spare-memory.js';

const MIB = 1024 * 1024;

class FakeProcess implements ProcessMemory {
  seconds = 0;
  mebibytes = 60;
  busy = 0;
  given = 0;
  takesMs = 0;
  /** What giving back leaves. */
  least = 60;

  nowMs(): number {
    return this.seconds * 1000;
  }

  residentBytes(): number {
    return this.mebibytes * MIB;
  }

  busyShare(): number {
    return this.busy;
  }

  async giveBack(): Promise<void> {
    this.given++;
    this.mebibytes = this.least;
    this.seconds += this.takesMs / 1000;
  }
}

/** One that has been settled at 60 MiB. */
async function settled(): Promise<{ fake: FakeProcess; spare: SpareMemory }> {
  const fake = new FakeProcess();
  fake.seconds = 3600;
  fake.mebibytes = 80;
  const spare = new SpareMemory(fake);
  expect(await spare.look()).toBe(true);
  fake.seconds += 3600;
  return { fake, spare };
}

test('a burst is cleared away once it is quiet', async () => {
  const { fake, spare } = await settled();
  fake.mebibytes = 90;
  fake.busy = 0.5;
  expect(await spare.look()).toBe(false);
  fake.busy = 0.02;
  expect(await spare.look()).toBe(true);
  expect(fake.mebibytes).toBe(60);
  expect(await spare.look()).toBe(false);
});

test('little is not worth it, nor is less than much soon after', async () => {
  const { fake, spare } = await settled();
  fake.mebibytes = 63;
  expect(await spare.look()).toBe(false);
  fake.mebibytes = 65;
  expect(await spare.look()).toBe(true);
  fake.mebibytes = 70;
  fake.seconds += 10;
  expect(await spare.look()).toBe(false);
  fake.seconds += 20;
  expect(await spare.look()).toBe(true);
});

test('what cannot be given back is tried once, and again when there is more', async () => {
  const { fake, spare } = await settled();
  fake.mebibytes = 100;
  fake.least = 100;
  expect(await spare.look()).toBe(true);
  fake.seconds += 3600;
  expect(await spare.look()).toBe(false);
  fake.mebibytes = 105;
  expect(await spare.look()).toBe(true);
});

test('where it took long it is done more seldom', async () => {
  const { fake, spare } = await settled();
  fake.takesMs = 500;
  fake.mebibytes = 70;
  expect(await spare.look()).toBe(true);
  fake.mebibytes = 70;
  fake.seconds += 60;
  expect(await spare.look()).toBe(false);
  fake.seconds += 240;
  expect(await spare.look()).toBe(true);
});

test('what is given back by itself counts from there on', async () => {
  const { fake, spare } = await settled();
  fake.mebibytes = 50;
  expect(await spare.look()).toBe(false);
  fake.mebibytes = 56;
  expect(await spare.look()).toBe(true);
});

test('this process has what is asked of it', async () => {
  await expect(new SpareMemory().look()).resolves.toBeTypeOf('boolean');
});
