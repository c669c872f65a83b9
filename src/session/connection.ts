import { unreachable } from '../base/assert.js';
import {
  type AcknowledgementType,
  type Auth,
  type Connect,
  type Disconnect,
  PacketType,
  type ProtocolVersion,
} from '../wire/control-packet.js';
import { decode } from '../wire/decode.js';
import { encode } from '../wire/encode.js';
import { Framer } from '../wire/framer.js';
import { ProtocolViolation } from '../wire/protocol-violation.js';
import { ReasonCode } from '../wire/reason-code.js';
import { Acknowledgements } from './acknowledgements.js';
import { AuthenticationTurns } from './authentication-turns.js';
import type { ClientAccess } from './client-access.js';
import type { Accepted, ConnectionContext } from './connection-context.js';
import { readsNothing } from './end-causes.js';
import type { Decision, DisconnectCause } from './host.js';
import type { Identity } from './identity.js';
import { InboundFlow } from './inbound-flow.js';
import { type ListenerLimits, type ListenerPolicy, listenerLimits } from './limits.js';
import type { NetworkConnection, NetworkConnectionEvents } from './network-connection.js';
import { Outbox } from './outbox.js';
import type { OutboxOwner } from './outbox-network.js';
import { PACED_BYTES_MAX, PacedNetwork } from './paced-network.js';
import { checkPhase, type Phase } from './phase.js';
import { newPublishSender, type PublishSender } from './publish-sender.js';
import { reasonStringFor } from './reason-string.js';
import { encodeRefusal, type RefusalDetails, versionToAnswer } from './refusal-packets.js';
import { applyClientExpiry, type Session } from './session.js';
import { type SilenceOwner, SilenceTimer, shorter, silenceSentence } from './silence-timer.js';

const PINGRESP = Uint8Array.of(0xd0, 0);
/** What a stranger may send: all fields of CONNECT at their largest are less. */
const CONNECT_BYTES_MAX = 1024 * 1024;

/**
 * The life of one Network Connection: awaiting CONNECT, (authenticating,) connected, closed. Bytes
 * come in by `receive`; the only place where a `ProtocolViolation` is caught.
 */
export class Connection implements NetworkConnectionEvents, OutboxOwner, SilenceOwner {
  readonly network: NetworkConnection;
  readonly policy: ListenerPolicy;
  /** As they were when the connection began. */
  readonly limits: ListenerLimits;
  readonly outbox: Outbox;
  connect: Connect | undefined = undefined;
  session: Session | undefined = undefined;
  /** As it stands in the log and in hooks: assigned by the server where the client sent none. */
  clientIdentifier = '';
  userName: string | undefined = undefined;
  /** As an authentication method found out; undefined where none was asked. */
  identity: Identity | undefined = undefined;
  version: ProtocolVersion = 4;
  access: ClientAccess | undefined = undefined;
  /** Called when it ends: somebody works for it meanwhile. */
  left: (() => void) | undefined = undefined;
  sender: PublishSender | undefined = undefined;
  acknowledgements: Acknowledgements | undefined = undefined;
  /** When a PUBLISH left last, on the monotonic clock. */
  publishedMs: number = Number.NEGATIVE_INFINITY;
  readonly #context: ConnectionContext;
  readonly #framer: Framer;
  readonly #silence: SilenceTimer;
  /** Messages stop at half of the first term, behind a last large one: the rest are answers. */
  readonly #unsentBytesMax: number;
  #inbound: InboundFlow | undefined = undefined;
  #paced: PacedNetwork | undefined = undefined;
  #sentCount = 0;
  #phase: Phase = 'awaiting-connect';
  #suspensions = 0;
  #turns: AuthenticationTurns | undefined = undefined;

  constructor(network: NetworkConnection, policy: ListenerPolicy, context: ConnectionContext) {
    this.network = network;
    this.policy = policy;
    this.#context = context;
    const { endOfTick, pool, limits } = context;
    this.limits = policy.limits ?? listenerLimits(limits);
    this.#framer = new Framer(Math.min(this.limits.packetBytesMax, CONNECT_BYTES_MAX), pool);
    this.#unsentBytesMax = 2 * limits.outboxBytesMax + this.limits.packetBytesMax;
    this.outbox = new Outbox(network, endOfTick, pool, limits.outboxBytesMax, this);
    this.#silence = new SilenceTimer(this, context.clock, context.timers);
    this.#silence.startDeadline(this.limits.connectSecondsMax * 1000);
  }

  get isConnected(): boolean {
    return this.#phase === 'connected';
  }

  /** When anything came last, on the monotonic clock. */
  get heardMs(): number {
    return this.#silence.heardMs;
  }

  get isClosed(): boolean {
    return this.#phase === 'closed';
  }

  receive(chunk: Uint8Array): void {
    if (this.#phase === 'closed') return;
    this.#context.statistics.bytesReceived += chunk.length;
    this.#silence.heard();
    if (this.network.unsentBytes > this.#unsentBytesMax) {
      this.disconnect(readsNothing(this.network.unsentBytes));
      return;
    }
    this.#framer.push(chunk);
    if (this.#suspensions === 0) this.#readPackets();
    else this.#hold();
  }

  drained(): void {
    // What waits for the network goes before what waits for room.
    if (this.#paced?.drained() === false || !this.outbox.drained()) return;
    if (this.#phase !== 'connected') return;
    this.session?.outbound.pump();
    this.#context.host.roomAgain(this);
  }

  sent(bytes: number): void {
    this.#context.statistics.bytesSent += bytes;
    if (this.outbox.trust.isDoubted) this.#context.readers?.doubt(this);
    if (this.sender === undefined || this.sender.sentCount === this.#sentCount) return;
    this.#sentCount = this.sender.sentCount;
    this.publishedMs = this.#context.clock.nowMs;
  }

  sentHeld(): void {
    this.publishedMs = this.#context.clock.nowMs;
  }

  networkClosed(cause: string): void {
    this.#end({ kind: 'network', reasonCode: ReasonCode.UnspecifiedError, sentence: cause });
  }

  /** Sends CONNACK and begins to serve. [MQTT-3.1.4-5] */
  accept(accepted: Accepted): void {
    const { session, connack } = accepted;
    this.#phase = 'connected';
    this.session = session;
    const acknowledgements = new Acknowledgements(this.outbox, this.#context.store, this.version);
    this.acknowledgements = acknowledgements;
    this.sender = newPublishSender(this, this.#context.statistics);
    this.sender.limitPacketBytes(accepted.packetBytesMax);
    if (accepted.pace !== undefined) {
      this.#paced = new PacedNetwork(this.network, accepted.pace, this.#context.timers, this);
      this.outbox.leaveThrough(this.#paced, 1, PACED_BYTES_MAX);
    }
    this.#inbound = new InboundFlow(this, session, acknowledgements, this.#context);
    const reasonCode = ReasonCode.Success;
    const bytes = encode({ ...connack, type: PacketType.CONNACK, reasonCode }, this.version);
    if (!this.fits(bytes)) {
      const sentence = `CONNACK has ${bytes.length} bytes, more than its Maximum Packet Size`;
      this.#end({ kind: 'protocol-violation', reasonCode: ReasonCode.PacketTooLarge, sentence });
      return;
    }
    this.#framer.packetBytesMax = this.limits.packetBytesMax;
    this.network.admitted?.();
    this.outbox.appendAnswer(bytes);
    const keepAliveMs = accepted.keepAliveSeconds * 1500; // [MQTT-3.1.2-22]
    const silenceMs = shorter(keepAliveMs, accepted.idleSecondsMax * 1000);
    this.#silence.startKeepAlive(silenceMs);
    if (silenceMs === 0) this.network.probeWhenSilent?.();
    session.outbound.attach(this.sender, accepted.receiveMaximum);
  }

  /** Whether the client takes a packet of this length. [MQTT-3.1.2-24] */
  fits(packet: Uint8Array): boolean {
    return packet.length <= (this.connect?.maximumPacketSizeBytes ?? Number.POSITIVE_INFINITY);
  }

  /** CONNACK with a failure, then the end. */
  refuse(
    reasonCode: ReasonCode,
    sentence: string,
    more: RefusalDetails = {},
    isRepeated = false,
  ): void {
    if (this.#phase === 'closed') return;
    this.#context.statistics.connectionsRefused++;
    const refusal = { reasonCode, sentence, ...more };
    this.outbox.append(encodeRefusal(this.version, this.connect, refusal));
    this.#end({ kind: 'authentication', reasonCode, sentence, isRepeated });
  }

  /** Sends AUTH and waits for the client's. */
  challenge(auth: Omit<Auth, 'type'>): void {
    if (this.#phase === 'connecting') this.#phase = 'authenticating';
    this.outbox.appendAnswer(encode({ type: PacketType.AUTH, ...auth }, this.version));
    if (auth.reasonCode === ReasonCode.Success) this.#turns?.ended();
  }

  /** Ends the connection from the server's side, with DISCONNECT where the protocol has it. */
  disconnect(cause: DisconnectCause, more: Pick<Disconnect, 'serverReference'> = {}): void {
    if (this.#phase === 'closed') return;
    if (this.version === 5 && this.#phase === 'connected') {
      const reasonString = reasonStringFor(cause.sentence, this.connect);
      const { reasonCode } = cause;
      this.outbox.append(
        encode({ type: PacketType.DISCONNECT, reasonCode, reasonString, ...more }, this.version),
      );
    }
    this.#end(cause);
  }

  /** Nothing more is read until `resume`; what has come is kept. Calls nest. */
  suspend(): void {
    if (this.#suspensions++ === 0) this.#hold();
  }

  /** Who waits to be let in and says nothing else is heard: it is known when he goes. */
  #hold(): void {
    this.#framer.holdRest();
    if (this.#phase !== 'connecting' || !this.#framer.isEmpty) this.network.pauseReading();
  }

  resume(): void {
    if (--this.#suspensions > 0 || this.#phase === 'closed') return;
    this.#silence.heard();
    this.network.resumeReading();
    this.#readPackets();
  }

  /**
   * Goes on with `settle` at once or, for a promise, when it settles; nothing is read meanwhile.
   */
  decide<T>(decision: Decision<T>, settle: (value: T) => void): void {
    if (!(decision instanceof Promise)) {
      settle(decision);
      return;
    }
    this.suspend();
    decision.then(
      (value) => this.#settled(() => settle(value)),
      (error: unknown) =>
        this.#settled(() => {
          this.#context.log.error(
            { event: 'hook_failed', client: this.clientIdentifier, reason: String(error) },
            `A hook failed for client ${this.clientIdentifier}: ${String(error)}`,
          );
          const reasonCode = ReasonCode.UnspecifiedError;
          const sentence = 'the server could not decide on the request';
          if (this.#phase !== 'connected') this.refuse(reasonCode, sentence);
          else this.disconnect({ kind: 'administrative', reasonCode, sentence });
        }),
    );
  }

  #settled(act: () => void): void {
    if (this.#phase !== 'closed') this.#guard(act);
    this.resume();
  }

  #readPackets(): void {
    this.#guard(() => {
      const framer = this.#framer;
      while (this.#suspensions === 0 && this.#phase !== 'closed' && framer.next()) this.#packet();
    });
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#violated(error);
    }
  }

  #violated(violation: ProtocolViolation): void {
    const { reasonCode, statement, message } = violation;
    this.#context.statistics.protocolViolations++;
    const sentence = statement === '' ? message : `${message} [${statement}]`;
    const cause: DisconnectCause = { kind: 'protocol-violation', reasonCode, sentence };
    if (this.#phase === 'awaiting-connect') this.#refuseMalformed(violation, cause);
    else this.disconnect(cause);
  }

  /** A CONNECT that cannot be read: CONNACK only where the client can be told. [MQTT-3.1.4-1] */
  #refuseMalformed(violation: ProtocolViolation, cause: DisconnectCause): void {
    const { reasonCode } = violation;
    const version = versionToAnswer(this.#framer, reasonCode);
    if (version !== undefined) {
      this.version = version;
      const connack = { type: PacketType.CONNACK, sessionPresent: false, reasonCode } as const;
      this.outbox.append(encode(connack, version));
    }
    this.#end(cause);
  }

  #packet(): void {
    const framer = this.#framer;
    const type = framer.bytes[framer.packetStart]! >>> 4;
    if (type === PacketType.PUBLISH && this.#phase === 'connected') {
      this.#inbound!.publish(framer);
      return;
    }
    if (this.#phase !== 'connected') checkPhase(this.#phase, type);
    else if (type >= PacketType.PUBACK && type <= PacketType.PUBCOMP) {
      this.#inbound!.acknowledgement(framer, type as AcknowledgementType);
      return;
    }
    const packet = decode(framer, this.version, 'client');
    switch (packet.type) {
      case PacketType.CONNECT:
        this.#connect(packet);
        break;
      case PacketType.SUBSCRIBE:
        this.#inbound!.subscribe(packet);
        break;
      case PacketType.UNSUBSCRIBE:
        this.#inbound!.unsubscribe(packet);
        break;
      case PacketType.PINGREQ:
        this.outbox.appendAnswer(PINGRESP); // [MQTT-3.12.4-1]
        this.session!.outbound.watching?.device.pinged(this.heardMs);
        break;
      case PacketType.DISCONNECT:
        this.#disconnect(packet);
        break;
      case PacketType.AUTH:
        this.#auth(packet);
        break;
      case PacketType.PUBLISH:
      case PacketType.PUBACK:
      case PacketType.PUBREC:
      case PacketType.PUBREL:
      case PacketType.PUBCOMP:
      case PacketType.CONNACK:
      case PacketType.SUBACK:
      case PacketType.UNSUBACK:
      case PacketType.PINGRESP:
        throw new ProtocolViolation(
          ReasonCode.ProtocolError,
          'The client sent a packet that only a server sends',
        );
      default:
        unreachable(packet);
    }
  }

  #connect(connect: Connect): void {
    if (this.#phase !== 'awaiting-connect') {
      throw new ProtocolViolation(
        ReasonCode.ProtocolError,
        'The client sent a second CONNECT on the same connection',
        'MQTT-3.1.0-2',
      );
    }
    this.#phase = 'connecting';
    this.connect = this.policy.mountPoint?.connect(connect) ?? connect;
    this.version = connect.protocolVersion;
    this.clientIdentifier = connect.clientIdentifier;
    this.userName = connect.userName;
    this.#context.host.connect(this, this.connect);
  }

  #disconnect(disconnect: Disconnect): void {
    applyClientExpiry(disconnect, this.connect!, this.session, this.limits.sessionExpirySecondsMax);
    const withWill = disconnect.reasonCode !== ReasonCode.NormalDisconnection;
    this.#end({
      kind: withWill ? 'client-disconnect-with-will' : 'client-disconnect', // [MQTT-3.14.4-3]
      reasonCode: disconnect.reasonCode,
      sentence: disconnect.reasonString ?? 'the client disconnected',
    });
  }

  #auth(auth: Auth): void {
    this.#turns ??= new AuthenticationTurns();
    this.#turns.check(auth, this.connect?.authenticationMethod, this.#phase === 'connected');
    this.#context.host.authenticate(this, auth);
  }

  deadlinePassed(): void {
    this.#context.statistics.connectTimeouts++;
    this.networkClosed(`no complete CONNECT within ${this.limits.connectSecondsMax} s`);
  }

  silent(silentMs: number): void {
    const { KeepAliveTimeout } = ReasonCode;
    const sentence = silenceSentence(silentMs, this.connect, !this.#framer.isEmpty);
    // Where the broker does not read, the client is not to blame.
    if (this.#suspensions > 0) this.#silence.startAgain();
    else this.disconnect({ kind: 'keep-alive-timeout', reasonCode: KeepAliveTimeout, sentence });
  }

  #end(cause: DisconnectCause): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#silence.stop();
    this.outbox.finish();
    this.acknowledgements?.close();
    (this.#paced ?? this.network).close(cause.kind === 'network' ? 'now' : 'after-flush');
    this.left?.();
    this.#context.host.disconnected(this, cause);
  }
}
