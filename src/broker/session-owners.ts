import type { Connection } from '../session/connection.js';
import type { Session, SessionOwner } from '../session/session.js';
import { ReasonCode } from '../wire/reason-code.js';
import type { ConnectRefusal } from './hooks.js';

/** How many Sessions each has, connected or not: one of them must not use up those of all. */
export class SessionOwners {
  readonly #users = new Map<string, SessionOwner>();
  readonly #hosts = new Map<string, SessionOwner>();

  /** Undefined where the client may have its Session: its own, or one more. */
  judge(connection: Connection, old: Session | undefined, max: number): ConnectRefusal | undefined {
    const { userName, network } = connection;
    const owner = this.#owners(userName).get(userName ?? network.peer.host);
    if (owner === undefined || owner.count < max || old?.owner === owner) return undefined;
    const who = owner.isUser ? `user ${owner.name}` : owner.name;
    return { reasonCode: ReasonCode.QuotaExceeded, reasonString: `${who} has its ${max} sessions` };
  }

  /** The Session is this client's from now on. Of one read from disk the address is unknown. */
  own(session: Session, userName: string | undefined, host: string | undefined): void {
    const name = userName ?? host;
    if (name === undefined) return;
    const owners = this.#owners(userName);
    let owner = owners.get(name);
    if (owner !== undefined && owner === session.owner) return;
    this.leave(session);
    owner = owners.get(name);
    if (owner === undefined) {
      owner = { name, isUser: userName !== undefined, count: 0 };
      owners.set(name, owner);
    }
    owner.count++;
    session.owner = owner;
  }

  /** The Session has ended. */
  leave(session: Session): void {
    const { owner } = session;
    if (owner === undefined) return;
    session.owner = undefined;
    if (--owner.count === 0) (owner.isUser ? this.#users : this.#hosts).delete(owner.name);
  }

  #owners(userName: string | undefined): Map<string, SessionOwner> {
    return userName === undefined ? this.#hosts : this.#users;
  }
}
