import type { Scenario } from '../scenario.js';
import { deafDevices, flakyLinks, smallBuffers } from './devices.js';
import { shares, wills } from './groups.js';
import { rudeGuests, storm, swizzle, takeOvers } from './guests.js';
import { expiry, failingDisk, fullQueues, retainedFlood } from './queues.js';
import { calmTraffic, crashUnderLoad, traffic } from './traffic.js';
import { slowWorkers } from './workers.js';

export const scenarios: readonly Scenario[] = [
  calmTraffic,
  traffic,
  crashUnderLoad,
  takeOvers,
  storm,
  swizzle,
  rudeGuests,
  fullQueues,
  expiry,
  retainedFlood,
  shares,
  wills,
  failingDisk,
  flakyLinks,
  smallBuffers,
  deafDevices,
  slowWorkers,
];
