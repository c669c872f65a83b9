import {
  generate,
  type IConnackPacket,
  type IConnectPacket,
  type IPublishPacket,
  type ISubackPacket,
  type Packet,
  parser,
} from 'mqtt-packet';
import type { SimEvent } from './event-queue.js';
import type { KnownSubscription, SentMessage, SessionEpoch } from './oracle.js';
import type { SimLink } from './sim-link.js';
import type { World } from './world.js';

const PERSISTENT_SECONDS = 100_000;
const CONNACK_WAIT_MS = 4000;
const NEVER = Number.POSITIVE_INFINITY;

export interface ClientPlan {
  readonly name: string;
  readonly version: 4 | 5;
  readonly isPersistent: boolean;
  /** Session Expiry Interval of a persistent MQTT 5 client. */
  readonly expirySeconds?: number;
  readonly keepAliveSeconds?: number;
  readonly receiveMaximum?: number;
  readonly topicAliasMaximum?: number;
  /** Bytes it reads at a time, and how long it waits in between. */
  readonly readsSlowly?: readonly [bytes: number, everyMs: number];
  /** Another client has the same Client Identifier. */
  readonly isContested?: boolean;
  readonly will?: NonNullable<IConnectPacket['will']>;
}

interface Outgoing {
  readonly message: SentMessage;
  state: 'publish' | 'pubrel';
}

interface Wanted {
  readonly filter: string;
  readonly qos: 0 | 1 | 2;
  readonly noLocal: boolean;
}

export interface PublishHow {
  readonly retain?: boolean;
  readonly expirySeconds?: number;
  /** Empty: clears what is retained. */
  readonly clears?: boolean;
  readonly isShort?: boolean;
}

/** A client that keeps to the protocol, and tells the oracle what it did and saw. */
export class SimClient {
  readonly plan: ClientPlan;
  readonly world: World;
  link: SimLink | undefined = undefined;
  epoch: SessionEpoch | undefined = undefined;
  isConnected = false;
  wantsOnline = true;
  /** Connection after connection; names the will. */
  connections = 0;
  readonly outgoing: Map<number, Outgoing> = new Map<number, Outgoing>();
  protected readonly isCorrect: boolean = true;
  readonly #toSend: SentMessage[] = [];
  readonly #received = new Set<number>();
  readonly #aliases = new Map<number, string>();
  readonly #wanted = new Map<string, Wanted>();
  readonly #requests = new Map<number, () => void>();
  readonly #unsubscribing = new Set<string>();
  #parser: ReturnType<typeof parser> | undefined = undefined;
  #lastIdentifier = 0;
  #number = 0;
  #serverReceiveMaximum = 0xffff;
  #reconnecting: SimEvent | undefined = undefined;
  #ping: SimEvent | undefined = undefined;
  #cleanNext = false;
  #connectedSince = 0;
  #epochSince = 0;

  constructor(world: World, plan: ClientPlan) {
    this.world = world;
    this.plan = plan;
  }

  get isIdle(): boolean {
    return this.outgoing.size === 0 && this.#toSend.length === 0;
  }

  get connectedSinceMs(): number {
    return this.#connectedSince;
  }

  /** The will of the connection that begins now. */
  protected willOf(): IConnectPacket['will'] {
    return this.plan.will;
  }

  protected onConnected(): void {}

  protected onDisconnected(_isGraceful: boolean): void {}

  connect(): void {
    this.#stopReconnecting();
    this.wantsOnline = true;
    if (this.link !== undefined) return;
    const { world, plan } = this;
    const link: SimLink | undefined = world.connect(plan.name, {
      received: (chunk) => this.#receive(link, chunk),
      closed: () => this.#lost(link),
    });
    if (link === undefined) {
      this.reconnectLater();
      return;
    }
    this.link = link;
    if (plan.readsSlowly !== undefined && !world.isCalm) {
      link.toClient.readSlowly(...plan.readsSlowly);
    }
    this.connections++;
    this.#parser = parser({ protocolVersion: plan.version });
    this.#parser.on('packet', (packet) => this.onPacket(packet));
    this.#parser.on('error', (error: Error) => this.#violation(`cannot read: ${error.message}`));
    this.#sendConnect();
    world.after(CONNACK_WAIT_MS, `${plan.name} waits for CONNACK`, () => {
      if (this.link === link && !this.isConnected) this.drop();
    });
  }

  #sendConnect(): void {
    const { plan } = this;
    const clean = !plan.isPersistent || this.#cleanNext;
    if (clean && this.epoch !== undefined) this.world.oracle.endEpoch(this.epoch, true);
    const will = this.willOf();
    const expirySeconds = plan.isPersistent ? (plan.expirySeconds ?? PERSISTENT_SECONDS) : 0;
    const ofVersion5 = {
      sessionExpiryInterval: expirySeconds,
      ...(plan.receiveMaximum === undefined ? {} : { receiveMaximum: plan.receiveMaximum }),
      ...(plan.topicAliasMaximum === undefined
        ? {}
        : { topicAliasMaximum: plan.topicAliasMaximum }),
    };
    this.send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: plan.version,
      clientId: plan.name,
      clean,
      keepalive: plan.keepAliveSeconds ?? 0,
      ...(will === undefined ? {} : { will }),
      ...(plan.version === 5 ? { properties: ofVersion5 } : {}),
    });
  }

  /** Says goodbye. The Session stays if it is a persistent one. */
  disconnect(): void {
    this.#stayAway();
    const { link } = this;
    if (link === undefined) return;
    if (this.isConnected) this.send({ cmd: 'disconnect', reasonCode: 0 });
    this.#gone(this.isConnected);
    link.closeByClient();
  }

  /** Ends the network connection without a word, and does not come back. */
  leave(): void {
    this.#stayAway();
    this.drop();
  }

  #stayAway(): void {
    this.wantsOnline = false;
    this.#stopReconnecting();
  }

  /** Whoever was connected by hand meanwhile must not come back once it has left. */
  #stopReconnecting(): void {
    if (this.#reconnecting !== undefined) this.#reconnecting.cancelled = true;
    this.#reconnecting = undefined;
  }

  /** Ends the network connection without a word. */
  drop(): void {
    const { link } = this;
    if (link === undefined) return;
    // A CONNECT still under way would take the Session from the next connection, which is its right.
    if (this.isConnected) link.closeByClient();
    else link.reset();
    this.#gone(false);
    this.reconnectLater();
  }

  /** Is gone, and the server does not hear of it. */
  vanish(): void {
    const { link } = this;
    if (link === undefined) return;
    this.#gone(false);
    link.vanish();
    this.reconnectLater();
  }

  /** The next connection asks for a new Session that is kept: before MQTT 5 nobody can. */
  discardSession(): void {
    this.#cleanNext = this.plan.version === 5;
  }

  reconnectLater(): void {
    if (!this.wantsOnline || this.#reconnecting !== undefined) return;
    const delayMs = this.world.chance.between(1, this.world.options.reconnectMsMax);
    this.#reconnecting = this.world.after(delayMs, `${this.plan.name} connects`, () =>
      this.connect(),
    );
  }

  publish(topic: string, qos: 0 | 1 | 2, how: PublishHow = {}): SentMessage {
    const { world, plan } = this;
    const number = ++this.#number;
    const id = `${plan.name}-${number}`;
    const padding =
      how.isShort === true ? 0 : world.chance.below(world.options.payloadBytesMax + 1);
    const text = how.clears === true ? '' : `${id}|${'x'.repeat(padding)}`;
    const message: SentMessage = {
      id,
      publisher: plan.name,
      number,
      topic,
      qos,
      retain: how.retain ?? false,
      payload: Buffer.from(text),
      expirySeconds: plan.version === 5 ? (how.expirySeconds ?? 0) : 0,
      isCorrect: this.isCorrect,
      firstSentStep: NEVER,
      lastSentStep: 0,
      ackedStep: NEVER,
      firstArrivedMs: 0,
      lastArrivedMs: 0,
    };
    world.oracle.sent(message);
    this.#toSend.push(message);
    this.#sendWaiting();
    return message;
  }

  subscribe(filter: string, qos: 0 | 1 | 2, noLocal = false): void {
    this.#wanted.set(filter, { filter, qos, noLocal });
    if (this.isConnected) this.#sendSubscribe(filter);
  }

  unsubscribe(filter: string): void {
    this.#wanted.delete(filter);
    this.#unsubscribing.add(filter);
    if (this.isConnected) this.#sendUnsubscribe(filter);
  }

  get filters(): readonly string[] {
    return [...this.#wanted.keys()];
  }

  send(packet: Packet): void {
    this.link?.send(generate(packet, { protocolVersion: this.plan.version }));
  }

  protected acknowledge(cmd: 'puback' | 'pubrec' | 'pubcomp', messageId: number): void {
    this.send({ cmd, messageId, reasonCode: 0 });
  }

  protected onPacket(packet: Packet): void {
    switch (packet.cmd) {
      case 'connack':
        this.#connected(packet);
        break;
      case 'publish':
        this.#published(packet);
        break;
      case 'puback':
      case 'pubrec':
        this.#acknowledged(packet.messageId!, packet.cmd, packet.reasonCode ?? 0);
        break;
      case 'pubrel':
        this.#received.delete(packet.messageId!);
        this.acknowledge('pubcomp', packet.messageId!);
        break;
      case 'pubcomp':
        this.#completed(packet.messageId!);
        break;
      case 'suback':
        this.#answered(packet.messageId!);
        if (this.epoch !== undefined && this.plan.isPersistent) this.epoch.isPromised = true;
        if ((packet as ISubackPacket).granted.some((code) => Number(code) >= 0x80)) {
          this.#violation('a subscription was refused');
        }
        break;
      case 'unsuback':
        this.#answered(packet.messageId!);
        break;
    }
  }

  #receive(link: SimLink | undefined, chunk: Uint8Array): void {
    if (link === this.link) this.#parser?.parse(Buffer.from(chunk));
  }

  /** The network or the server ended the connection. */
  #lost(link: SimLink | undefined): void {
    if (link !== this.link || link === undefined) return;
    this.#gone(false);
    this.reconnectLater();
  }

  #gone(isGraceful: boolean): void {
    const wasConnected = this.isConnected;
    this.link = undefined;
    this.isConnected = false;
    this.#requests.clear();
    this.#aliases.clear();
    if (this.#ping !== undefined) this.#ping.cancelled = true;
    if (!this.plan.isPersistent && this.epoch !== undefined) {
      this.world.oracle.endEpoch(this.epoch, true);
    }
    if (wasConnected) this.onDisconnected(isGraceful);
  }

  #connected(connack: IConnackPacket): void {
    const code = connack.reasonCode ?? connack.returnCode ?? 0;
    if (code !== 0) {
      // Too many take-overs wait already: it comes back.
      if (this.world.care.damped.has(this.plan.name)) return;
      this.#violation(`refused with ${code}`);
      return;
    }
    this.isConnected = true;
    this.#connectedSince = this.world.nowMs;
    this.#serverReceiveMaximum = connack.properties?.receiveMaximum ?? 0xffff;
    if (!connack.sessionPresent || this.epoch === undefined) this.#beginEpoch(connack);
    this.#cleanNext = false;
    for (const filter of this.#unsubscribing) this.#sendUnsubscribe(filter);
    for (const filter of this.#wanted.keys()) {
      if (!this.#isSurelySubscribed(filter)) this.#sendSubscribe(filter);
    }
    this.#resend();
    this.#sendWaiting();
    this.#pingLater();
    this.onConnected();
  }

  #beginEpoch(connack: IConnackPacket): void {
    const { plan, world, epoch } = this;
    const isClean = !plan.isPersistent || this.#cleanNext;
    if (connack.sessionPresent && isClean) this.#violation('a clean start found a session');
    if (epoch !== undefined && !isClean) this.#judgeLoss(epoch);
    if (epoch !== undefined) world.oracle.endEpoch(epoch, false);
    this.outgoing.clear();
    this.#received.clear();
    this.#unsubscribing.clear();
    this.epoch = world.oracle.beginEpoch({
      client: plan.name,
      isPersistent: plan.isPersistent,
      isCorrect: this.isCorrect,
      isContested: plan.isContested ?? false,
    });
    this.#epochSince = world.nowMs;
  }

  /** The Session is not there any more. May that be? */
  #judgeLoss(epoch: SessionEpoch): void {
    if (this.plan.expirySeconds !== undefined || !this.isCorrect) return;
    const hasCrashed = this.world.crashes.some((atMs) => atMs >= this.#epochSince);
    if (epoch.isPromised || !hasCrashed) this.#violation('its session is lost');
  }

  #published(sent: IPublishPacket): void {
    const { epoch } = this;
    const alias = sent.properties?.topicAlias;
    if (alias !== undefined && sent.topic !== '') this.#aliases.set(alias, sent.topic);
    const topic = alias === undefined ? sent.topic : this.#aliases.get(alias)!;
    const publish = { ...sent, topic };
    if (epoch === undefined) return;
    const { qos, messageId } = publish;
    if (qos === 2) {
      if (!this.#received.has(messageId!)) {
        this.#received.add(messageId!);
        this.world.oracle.received(epoch, publish);
      } else if (!publish.dup && this.plan.isContested !== true)
        this.#violation(`PUBLISH ${messageId} again without DUP`);
      this.acknowledge('pubrec', messageId!);
      return;
    }
    this.world.oracle.received(epoch, publish);
    if (qos === 1) this.acknowledge('puback', messageId!);
  }

  #acknowledged(identifier: number, cmd: 'puback' | 'pubrec', reasonCode: number): void {
    const outgoing = this.outgoing.get(identifier);
    if (outgoing === undefined) return;
    const { message } = outgoing;
    const isRefused = reasonCode >= 0x80;
    if (!isRefused) {
      message.ackedStep = Math.min(message.ackedStep, this.world.step);
      if (cmd === 'pubrec' && this.epoch !== undefined) this.epoch.isPromised = true;
    }
    if (cmd === 'puback' || isRefused) {
      this.outgoing.delete(identifier);
      this.#sendWaiting();
    } else {
      outgoing.state = 'pubrel';
      this.send({ cmd: 'pubrel', messageId: identifier, reasonCode: 0 });
    }
  }

  #completed(identifier: number): void {
    if (this.outgoing.get(identifier)?.state !== 'pubrel') return;
    this.outgoing.delete(identifier);
    this.#sendWaiting();
  }

  #answered(identifier: number): void {
    this.#requests.get(identifier)?.();
    this.#requests.delete(identifier);
  }

  #isSurelySubscribed(filter: string): boolean {
    return (
      this.epoch?.subscriptions.some(
        (known) => known.filter === filter && known.surelyFrom < NEVER && known.surelyTo === NEVER,
      ) === true
    );
  }

  #sendSubscribe(filter: string): void {
    const { epoch } = this;
    const { qos, noLocal } = this.#wanted.get(filter)!;
    const known: KnownSubscription = this.world.oracle.subscribing(epoch!, {
      filter,
      qos,
      noLocal: noLocal && this.plan.version === 5,
    });
    this.#unsubscribing.delete(filter);
    const messageId = this.#newIdentifier();
    this.#requests.set(messageId, () => {
      known.surelyFrom = this.world.step;
    });
    const options = this.plan.version === 5 ? { nl: known.noLocal, rap: false, rh: 0 } : {};
    const subscriptions = [{ topic: filter, qos, ...options }];
    this.send({ cmd: 'subscribe', messageId, subscriptions });
  }

  #sendUnsubscribe(filter: string): void {
    const { epoch, world } = this;
    const known = epoch!.subscriptions.filter((one) => one.filter === filter);
    for (const one of known) one.surelyTo = Math.min(one.surelyTo, world.step);
    const messageId = this.#newIdentifier();
    this.#requests.set(messageId, () => {
      for (const one of known) one.maybeTo = Math.min(one.maybeTo, world.step);
      this.#unsubscribing.delete(filter);
    });
    this.send({ cmd: 'unsubscribe', messageId, unsubscriptions: [filter] });
  }

  /** What the last connection left open, in order. [MQTT-4.4.0-1] */
  #resend(): void {
    for (const [messageId, { message, state }] of this.outgoing) {
      if (state === 'publish') this.#sendPublish(message, messageId, true);
      else this.send({ cmd: 'pubrel', messageId, reasonCode: 0 });
    }
  }

  #sendWaiting(): void {
    while (this.isConnected && this.#toSend.length > 0) {
      const message = this.#toSend[0]!;
      if (message.qos > 0 && this.outgoing.size >= this.sendQuota) return;
      this.#toSend.shift();
      if (message.qos === 0) {
        this.#sendPublish(message, undefined, false);
        continue;
      }
      const messageId = this.#newIdentifier();
      this.outgoing.set(messageId, { message, state: 'publish' });
      this.#sendPublish(message, messageId, false);
    }
  }

  protected get sendQuota(): number {
    return Math.min(this.#serverReceiveMaximum, 50);
  }

  protected sendAgain(): void {
    for (const [messageId, { message, state }] of this.outgoing) {
      if (state === 'publish') this.#sendPublish(message, messageId, true);
    }
  }

  #sendPublish(message: SentMessage, messageId: number | undefined, dup: boolean): void {
    const { topic, payload, qos, retain, expirySeconds } = message;
    message.firstSentStep = Math.min(message.firstSentStep, this.world.step);
    message.lastSentStep = this.world.step;
    this.send({
      cmd: 'publish',
      topic,
      payload,
      qos,
      retain,
      dup,
      ...(messageId === undefined ? {} : { messageId }),
      ...(expirySeconds > 0 ? { properties: { messageExpiryInterval: expirySeconds } } : {}),
    });
  }

  #newIdentifier(): number {
    do this.#lastIdentifier = (this.#lastIdentifier % 0xffff) + 1;
    while (this.outgoing.has(this.#lastIdentifier) || this.#requests.has(this.#lastIdentifier));
    return this.#lastIdentifier;
  }

  #pingLater(): void {
    const seconds = this.plan.keepAliveSeconds ?? 0;
    if (seconds === 0) return;
    this.#ping = this.world.after(seconds * 900, `${this.plan.name} pings`, () => {
      this.send({ cmd: 'pingreq' });
      this.#pingLater();
    });
  }

  #violation(sentence: string): void {
    this.world.oracle.violation(`${this.plan.name}: ${sentence}`);
  }
}
