import type { Acceptance, ConnectRefusal } from './hooks.js';

export function isAcceptance(answer: ConnectRefusal | Acceptance): answer is Acceptance {
  return 'identity' in answer;
}

/** What is told to the client and the log. */
export function sentenceOf(answer: ConnectRefusal | Acceptance): string {
  const given = isAcceptance(answer) ? undefined : answer.reasonString;
  return given ?? 'the server does not let this client in';
}
