import type { Server } from 'node:net';

/**
 * The system's stream under a `net.Socket`. Node gives it no public name, but its shape has been
 * the same since Node 12; `StreamHandles.under` looks before anything relies on it.
 */
export interface StreamHandle {
  /** Whose it is; this is ours, the rest is Node's. */
  reader: StreamReader | undefined;
  onread: (this: StreamHandle) => void;
  readStart(): number;
  readStop(): number;
  /** Reads go into these bytes, each one to their beginning. */
  useUserBuffer(bytes: Uint8Array): void;
  /** 0, or a negative error number. */
  writeBuffer(request: StreamRequest, bytes: Uint8Array): number;
  writev(request: StreamRequest, parts: readonly Uint8Array[], allAreBytes: true): number;
  shutdown(request: StreamRequest): number;
  close(closed: (this: StreamHandle) => void): void;
  /** TCP alone has these three. */
  getpeername?(into: { address?: string; port?: number }): number;
  setNoDelay?(isOn: boolean): number;
  setKeepAlive?(isOn: boolean, delaySeconds: number): number;
}

/** A write or shutdown; Node calls `oncomplete` where it did not end within the call. */
export interface StreamRequest {
  oncomplete(status: number): void;
}

export interface StreamReader {
  /** The bytes are valid during the call only: the next read of any stream overwrites them. */
  read(bytes: Uint8Array): void;
  /** Nothing more comes: `END_OF_FILE`, or another negative error number. */
  readEnded(error: number): void;
}

/** Node's `stream_wrap`. */
interface StreamBinding {
  readonly WriteWrap: new () => StreamRequest;
  readonly ShutdownWrap: new () => StreamRequest;
  /** About the last call, at the places named below. */
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

/** A handle that listens. */
interface ListeningHandle extends StreamHandle {
  onconnection: (error: number, handle: StreamHandle | undefined) => void;
}

export const END_OF_FILE = -4095;

/** Of one read. One buffer serves all streams of the process. */
export const READ_BYTES_MAX = 65_536;

const METHODS = ['readStart', 'readStop', 'useUserBuffer', 'writeBuffer', 'writev', 'shutdown'];

/**
 * Streams without a `net.Socket` around them: bytes come into one buffer that all share, and a
 * write that the system takes at once leaves nothing behind.
 */
export class StreamHandles {
  readonly #listening: ListeningHandle;
  readonly #binding: StreamBinding;
  readonly #onRead: (this: StreamHandle) => void;

  private constructor(listening: ListeningHandle, binding: StreamBinding) {
    this.#listening = listening;
    this.#binding = binding;
    this.#onRead = newReadFunction(binding);
  }

  /**
   * Those of a server that listens. Undefined where this Node does not have what it takes, or does
   * not let us; its sockets then do the same, at a higher price.
   */
  static under(server: Server): StreamHandles | undefined {
    const binding = streamBinding();
    const listening = (server as unknown as { _handle?: Partial<ListeningHandle> | null })._handle;
    if (binding === undefined || typeof listening?.onconnection !== 'function') return undefined;
    const methods = listening as Record<string, unknown>;
    if (METHODS.some((name) => typeof methods[name] !== 'function')) return undefined;
    return new StreamHandles(listening as ListeningHandle, binding);
  }

  /** From here on new connections come as handles, and the server sees none of them. */
  onConnection(connected: (handle: StreamHandle) => void, failed: (error: number) => void): void {
    this.#listening.onconnection = (error, handle) => {
      if (handle === undefined || error !== 0) failed(error);
      else connected(handle);
    };
  }

  /** No Nagle for every connection that comes. */
  configure(): (handle: StreamHandle) => void {
    const set = (handle: StreamHandle): void => {
      handle.setNoDelay?.(true);
    };
    // What is accepted inherits it from what listens: a system call less for each.
    if (process.platform !== 'linux') return set;
    set(this.#listening);
    return () => {};
  }

  /** Says where the bytes go; they come after `readStart`. */
  attach(handle: StreamHandle, reader: StreamReader): void {
    handle.reader = reader;
    handle.useUserBuffer(readBuffer());
    handle.onread = this.#onRead;
  }

  newWrite(): StreamRequest {
    return new this.#binding.WriteWrap();
  }

  newShutdown(): StreamRequest {
    return new this.#binding.ShutdownWrap();
  }

  /** Whether the system has not taken all of the last write, so that its request is under way. */
  get isWriting(): boolean {
    return this.#binding.streamBaseState[this.#binding.kLastWriteWasAsync] !== 0;
  }
}

/** Views of the read buffer are used again for reads of the same length, by their lowest bits. */
const VIEWS = 256;

let sharedReadBuffer: Uint8Array | undefined;

function readBuffer(): Uint8Array {
  sharedReadBuffer ??= new Uint8Array(READ_BYTES_MAX);
  return sharedReadBuffer;
}

function newReadFunction({ streamBaseState, kReadBytesOrError }: StreamBinding) {
  const buffer = readBuffer();
  const views = new Array<Uint8Array>(VIEWS).fill(buffer);
  // A new view for each read would cost more than its own making: all that refers to what is read
  // is older, and the collector has to be told of each time that it refers to something young.
  const viewOf = (bytes: number): Uint8Array => {
    const view = views[bytes % VIEWS]!;
    if (view.length === bytes) return view;
    const made = buffer.subarray(0, bytes);
    views[bytes % VIEWS] = made;
    return made;
  };
  return function read(this: StreamHandle): void {
    const bytes = streamBaseState[kReadBytesOrError]!;
    if (bytes > 0) this.reader?.read(viewOf(bytes));
    else if (bytes < 0) this.reader?.readEnded(bytes);
  };
}

function streamBinding(): StreamBinding | undefined {
  const { binding } = process as unknown as { binding?: (name: string) => Partial<StreamBinding> };
  try {
    const found = binding?.('stream_wrap');
    const isWhole =
      typeof found?.WriteWrap === 'function' &&
      typeof found.ShutdownWrap === 'function' &&
      found.streamBaseState instanceof Int32Array &&
      typeof found.kReadBytesOrError === 'number' &&
      typeof found.kLastWriteWasAsync === 'number';
    return isWhole ? (found as StreamBinding) : undefined;
  } catch {
    // Node's permission model forbids it.
    return undefined;
  }
}
