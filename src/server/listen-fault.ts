import { ListenError } from '../transport/listener.js';
import { portOwner } from './port-owner.js';

/** Why an address cannot be opened, which program has it where Linux tells, and what to do. */
export async function describeListenFault(error: unknown): Promise<string> {
  if (!(error instanceof ListenError)) return String(error);
  const { code, port, message } = error;
  const owner = code === 'EADDRINUSE' ? await portOwner(port) : undefined;
  const taken = owner === undefined ? message : message.replace('another program', owner);
  if (code === 'EADDRINUSE') return `${taken}: stop it, or choose another address with --listen`;
  return `${message}: choose another address with --listen`;
}
