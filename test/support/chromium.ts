import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const START_MS_MAX = 90_000;

interface Reply {
  readonly id?: number;
  readonly error?: { readonly message: string };
  readonly result?: {
    readonly result?: { readonly value?: unknown };
    readonly exceptionDetails?: {
      readonly text: string;
      readonly exception?: { readonly description?: string };
    };
  };
}

/** One tab, told what to do by the DevTools protocol. */
export class Tab {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #lastId = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const reply = JSON.parse(String(data)) as Reply;
      this.#waiting.get(reply.id ?? 0)?.(reply);
      this.#waiting.delete(reply.id ?? 0);
    });
  }

  /** Opens the page and waits until it is loaded. */
  async open(url: string): Promise<void> {
    await this.#ask('Page.navigate', { url });
    while (!(await this.isLoaded(url))) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Runs JavaScript in the page; of a promise, its result, which must be JSON. */
  async run<T>(expression: string): Promise<T> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result } = await this.#ask('Runtime.evaluate', options);
    const { exceptionDetails } = result ?? {};
    if (exceptionDetails !== undefined) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result?.result?.value as T;
  }

  close(): void {
    this.#socket.terminate();
  }

  isLoaded(url: string): Promise<boolean> {
    const address = JSON.stringify(url);
    return this.run(`location.href === ${address} && document.readyState === 'complete'`);
  }

  async #ask(method: string, params: object): Promise<Reply> {
    const id = ++this.#lastId;
    const answered = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const reply = await answered;
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`);
    return reply;
  }
}

/** Debian's Chromium without a window, with a profile of its own that is removed at the end. */
export class Chromium {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #host: string;
  readonly #tabs: Tab[] = [];

  private constructor(child: ChildProcess, profile: string, host: string) {
    this.#child = child;
    this.#profile = profile;
    this.#host = host;
  }

  /** `trustedKeys` are SHA-256 digests, in Base64, of the public keys of certificates to accept. */
  static async start(trustedKeys: readonly string[] = []): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), 'dunlin-chromium-'));
    const args = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--no-first-run',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      `--ignore-certificate-errors-spki-list=${trustedKeys.join(',')}`,
      'about:blank',
    ];
    const child = spawn('chromium', args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    const host = await hostOfDevTools(child).catch((error: unknown) => {
      child.kill('SIGKILL');
      rmSync(profile, { recursive: true, force: true });
      throw error;
    });
    return new Chromium(child, profile, host);
  }

  /** A tab at an empty page. */
  async tab(): Promise<Tab> {
    const answer = await fetch(`http://${this.#host}/json/new?about:blank`, { method: 'PUT' });
    const { webSocketDebuggerUrl } = (await answer.json()) as { webSocketDebuggerUrl: string };
    const socket = new WebSocket(webSocketDebuggerUrl);
    await once(socket, 'open');
    const tab = new Tab(socket);
    this.#tabs.push(tab);
    return tab;
  }

  async stop(): Promise<void> {
    for (const tab of this.#tabs) tab.close();
    const ended = once(this.#child, 'exit');
    // Its helper processes are in its group.
    process.kill(-this.#child.pid!, 'SIGKILL');
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Where it can be told what to do: it says so on standard error. */
function hostOfDevTools(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const fail = (why: string): void => reject(new Error(`${why}:\n${said.join('\n')}`));
    const deadline = setTimeout(() => fail('chromium did not start in time'), START_MS_MAX);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`chromium ended with ${code}`));
    createInterface({ input: child.stderr! }).on('line', (line) => {
      said.push(line);
      const host = /^DevTools listening on ws:\/\/([^/]+)/.exec(line)?.[1];
      if (host === undefined) return;
      clearTimeout(deadline);
      resolve(host);
    });
  });
}
