import type { Random } from '../base/random.js';
import { mixHash, stableHash } from './topic-hash.js';

export type ShareStrategy =
  | 'round-robin'
  | 'random'
  | 'sticky'
  | 'least-inflight'
  | 'hash-client'
  | 'hash-topic';

/** What a group asks about its members. */
export interface ShareMemberView<M> {
  online(member: M): boolean;
  /** Messages sent to it and not yet acknowledged. */
  inFlight(member: M): number;
  /** Whether it may have the message at all; without it all may. */
  takes?(member: M): boolean;
  /** Rises whenever a member may have come online: without it none is known to be away. */
  readonly arrivals?: number;
}

interface Member<M> {
  readonly value: M;
  /** Of the Client Identifier, so that hash strategies choose alike after a restart. */
  readonly hash: number;
  /** Where it stands among the members. */
  index: number;
}

/** Who may be chosen. */
interface Choice<M> {
  readonly view: ShareMemberView<M>;
  readonly excluded: M | undefined;
  offlineToo: boolean;
}

/** Uniform tries before counting who is eligible. */
const RANDOM_TRIES = 4;

/**
 * The members of one Shared Subscription: one ShareName and one Topic Filter. Each message goes to
 * one of them (section 4.8.2), and to one that is offline only while none is online.
 */
export class ShareGroup<M> {
  readonly #strategy: ShareStrategy;
  readonly #index = new Map<M, Member<M>>();
  readonly #members: Member<M>[] = [];
  /** Where the next turn begins. */
  #turn = 0;
  /** Chosen last, for the sticky strategy. */
  #last: Member<M> | undefined = undefined;
  /** After so many arrivals no member was online: not looked for again before the next one. */
  #deserted = -1;

  constructor(strategy: ShareStrategy = 'round-robin') {
    this.#strategy = strategy;
  }

  get size(): number {
    return this.#members.length;
  }

  /** In no particular order. */
  members(): Iterable<M> {
    return this.#index.keys();
  }

  /** False when it is a member already. */
  add(member: M, clientIdentifier: string): boolean {
    if (this.#index.has(member)) return false;
    const added = {
      value: member,
      hash: stableHash(clientIdentifier),
      index: this.#members.length,
    };
    this.#index.set(member, added);
    this.#members.push(added);
    this.#deserted = -1;
    return true;
  }

  /** False when it is no member. */
  remove(member: M): boolean {
    const removed = this.#index.get(member);
    if (removed === undefined) return false;
    this.#index.delete(member);
    const last = this.#members.pop()!;
    if (last !== removed) {
      this.#members[removed.index] = last;
      last.index = removed.index;
    }
    if (this.#last === removed) this.#last = undefined;
    return true;
  }

  /**
   * The member that gets a message; undefined when there is none but the excluded one, which had
   * this message before.
   */
  choose(
    topicName: string,
    publisher: string,
    view: ShareMemberView<M>,
    random: Random,
    excluded?: M,
  ): M | undefined {
    const choice = { view, excluded, offlineToo: this.#deserted === view.arrivals };
    if (!choice.offlineToo) {
      const online = this.#chooseAmong(choice, topicName, publisher, random);
      if (online !== undefined) return online.value;
      const isDeserted = excluded === undefined && view.takes === undefined;
      if (isDeserted && view.arrivals !== undefined) this.#deserted = view.arrivals;
      choice.offlineToo = true;
    }
    return this.#chooseAmong(choice, topicName, publisher, random)?.value;
  }

  #chooseAmong(
    choice: Choice<M>,
    topicName: string,
    publisher: string,
    random: Random,
  ): Member<M> | undefined {
    switch (this.#strategy) {
      case 'round-robin':
        return this.#nextInTurn(choice);
      case 'random':
        return this.#anyOf(choice, random);
      case 'sticky':
        return this.#stay(choice);
      case 'least-inflight':
        return this.#leastInFlight(choice);
      case 'hash-client':
        return this.#highestScore(choice, stableHash(publisher));
      case 'hash-topic':
        return this.#highestScore(choice, stableHash(topicName));
    }
  }

  #nextInTurn(choice: Choice<M>): Member<M> | undefined {
    const count = this.#members.length;
    for (let i = 0; i < count; i++) {
      const member = this.#members[(this.#turn + i) % count]!;
      if (isEligible(member, choice)) return this.#endTurn(member);
    }
    return undefined;
  }

  #anyOf(choice: Choice<M>, random: Random): Member<M> | undefined {
    const count = this.#members.length;
    if (count === 0) return undefined;
    for (let i = 0; i < RANDOM_TRIES; i++) {
      const member = this.#members[random.below(count)]!;
      if (isEligible(member, choice)) return member;
    }
    const eligible = this.#members.filter((member) => isEligible(member, choice));
    return eligible.length === 0 ? undefined : eligible[random.below(eligible.length)];
  }

  /** The member chosen last as long as it may be chosen. */
  #stay(choice: Choice<M>): Member<M> | undefined {
    if (this.#last === undefined || !isEligible(this.#last, choice)) {
      const next = this.#nextInTurn(choice);
      if (next !== undefined) this.#last = next;
      return next;
    }
    return this.#last;
  }

  /** In turn among those with as little in flight. */
  #leastInFlight(choice: Choice<M>): Member<M> | undefined {
    const count = this.#members.length;
    let best: Member<M> | undefined;
    let bestInFlight = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const member = this.#members[(this.#turn + i) % count]!;
      if (!isEligible(member, choice)) continue;
      const inFlight = choice.view.inFlight(member.value);
      if (inFlight >= bestInFlight) continue;
      best = member;
      bestInFlight = inFlight;
    }
    return best === undefined ? undefined : this.#endTurn(best);
  }

  /**
   * Rendezvous hashing: each pair of key and member has a score and the highest wins, so that a
   * member that comes or goes moves its own share of the keys and no other.
   */
  #highestScore(choice: Choice<M>, keyHash: number): Member<M> | undefined {
    let best: Member<M> | undefined;
    let bestScore = -1;
    for (const member of this.#members) {
      const score = mixHash(keyHash ^ member.hash);
      if (score <= bestScore || !isEligible(member, choice)) continue;
      best = member;
      bestScore = score;
    }
    return best;
  }

  #endTurn(member: Member<M>): Member<M> {
    this.#turn = member.index + 1;
    return member;
  }
}

function isEligible<M>(member: Member<M>, choice: Choice<M>): boolean {
  if (member.value === choice.excluded || choice.view.takes?.(member.value) === false) return false;
  return choice.offlineToo || choice.view.online(member.value);
}
