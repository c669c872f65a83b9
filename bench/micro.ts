/**
 * Measures the parts of the path one by one, and checks what the path of a QoS 0 PUBLISH
 * allocates. Exit code 1 when that is over its budget.
 */
import { Bench } from 'tinybench';
import { markdownTable } from './compare/table.js';
import { type Allocation, measureAllocation } from './micro/allocation.js';
import { codecTasks } from './micro/codec.js';
import { sendingTasks } from './micro/sending.js';
import { topicTasks } from './micro/topics.js';

const TIME_MS = 300;
const WARM_UP_MS = 100;

/**
 * Bytes for each message at most. A message that is copied into outboxes makes one view of about
 * 100 bytes, however many subscribers it has.
 */
const BUDGETS: readonly (readonly [subscribers: number, bytes: number])[] = [
  [1, 160],
  [100, 1500],
];

async function measureTimes(): Promise<void> {
  const rows = [['operation', 'median ns', 'p99 ns']];
  for (const task of [...codecTasks(), ...topicTasks(), ...sendingTasks()]) {
    const bench = new Bench({ time: TIME_MS, warmupTime: WARM_UP_MS });
    bench.add(task.name, task.run);
    await bench.run();
    const result = bench.tasks[0]?.result;
    if (result?.state !== 'completed') throw new Error(`${task.name} did not run`);
    const { latency } = result;
    const shown = (ms: number): string => ((ms * 1e6) / task.operations).toFixed(1);
    rows.push([task.name, shown(latency.p50), shown(latency.p99)]);
  }
  console.log(`${markdownTable(rows)}\n`);
}

async function checkAllocations(): Promise<boolean> {
  const found: Allocation[] = [];
  for (const [subscribers, bytes] of BUDGETS) {
    found.push(await measureAllocation(subscribers, bytes));
  }
  const rows = found.map((one) => [
    String(one.subscribers),
    one.bytesPerMessage.toFixed(1),
    one.bytesPerDelivery.toFixed(2),
    String(one.budgetBytesPerMessage),
  ]);
  const head = ['subscribers', 'B per message', 'B per delivery', 'budget per message'];
  console.log(markdownTable([head, ...rows]));
  return found.every((one) => one.bytesPerMessage <= one.budgetBytesPerMessage);
}

await measureTimes();
if (!(await checkAllocations())) {
  console.error('the path of a QoS 0 PUBLISH allocates more than its budget');
  process.exitCode = 1;
}
