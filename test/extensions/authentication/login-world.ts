import type { Acceptance, ConnectRefusal } from '../../../src/broker/hooks.js';
import {
  defaultBrakeSettings,
  GuessBrake,
} from '../../../src/extensions/authentication/guess-brake.js';
import { LoginChain } from '../../../src/extensions/authentication/login-chain.js';
import type { LoginMethod } from '../../../src/extensions/authentication/login-method.js';
import { Statistics } from '../../../src/session/statistics.js';
import { type LogLine, recordingLogger } from '../../broker/recording-logger.js';
import { TestTime } from '../../broker/test-time.js';
import { loginRequest, type Shown } from './login-requests.js';

/** A chain with its brake, on virtual time. */
export class LoginWorld {
  readonly time: TestTime = new TestTime();
  readonly log: LogLine[] = [];
  readonly statistics: Statistics = new Statistics();
  readonly brake: GuessBrake;
  readonly chain: LoginChain;

  constructor(methods: (time: TestTime) => readonly LoginMethod[]) {
    const { time, statistics } = this;
    this.brake = new GuessBrake({
      clock: time,
      timers: time.timers,
      log: recordingLogger(this.log),
      statistics,
      settings: defaultBrakeSettings,
    });
    this.chain = new LoginChain({ clock: time, brake: this.brake, methods: methods(time) });
  }

  /** The answer, and how long it took on virtual time. */
  async answer(shown: Shown): Promise<{ answer: ConnectRefusal | Acceptance; tookMs: number }> {
    const { time } = this;
    const beginMs = time.nowMs;
    let answer: ConnectRefusal | Acceptance | undefined;
    let tookMs = 0;
    const decision = this.chain.judge(loginRequest(shown));
    void Promise.resolve(decision).then((settled) => {
      answer = settled;
      tookMs = time.nowMs - beginMs;
    });
    await settled();
    while (answer === undefined) {
      time.advance(10, () => {});
      await settled();
    }
    return { answer, tookMs };
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
