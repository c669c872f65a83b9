import type { Scenario } from '../scenario.js';
import { calmTraffic, crashUnderLoad, traffic } from './traffic.js';

export const scenarios: readonly Scenario[] = [calmTraffic, traffic, crashUnderLoad];
