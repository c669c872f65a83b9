import type { Socket } from 'node:net';
import type { Peer } from '../session/network-connection.js';
import type { Stage, StageEnd } from './listener.js';

/** Leads a connection through the stages, one after the other; `end` gets what comes out. */
export function passStages(
  stages: readonly Stage[],
  socket: Socket,
  peer: Peer,
  end: StageEnd,
): void {
  const [first, ...others] = stages;
  if (first === undefined) end(socket, peer);
  else first(socket, peer, (inner, known) => passStages(others, inner, known, end));
}
