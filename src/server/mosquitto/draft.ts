import type { ConfigPath } from '../config-source.js';
import type { Directive } from './directives.js';

/** A setting of Dunlin that came out of a line of a mosquitto.conf. */
export interface Setting {
  readonly path: ConfigPath;
  /** As it would be written in YAML. */
  readonly value: unknown;
  readonly place: string;
}

/** Something that has no equivalent, or a different one; nothing is left out in silence. */
export interface Note {
  readonly place: string;
  readonly sentence: string;
}

/** One `listener` block, or what stands before the first one. */
export class ListenerDraft {
  readonly place: string;
  readonly settings: Setting[] = [];
  port: string | undefined;
  /** A UNIX socket where the port is 0. */
  socketPath: string | undefined;
  host: string | undefined;
  isWebSocket = false;
  hasTls = false;
  addressFamily: string | undefined;

  constructor(place: string) {
    this.place = place;
  }

  get url(): string {
    if (this.socketPath !== undefined) return `unix:${this.socketPath}`;
    const host = this.host ?? (this.addressFamily === 'ipv4' ? '0.0.0.0' : '::');
    const scheme = `${this.isWebSocket ? 'ws' : 'mqtt'}${this.hasTls ? 's' : ''}`;
    const authority = host.includes(':') ? `[${host}]` : host;
    return `${scheme}://${authority}:${this.port ?? '1883'}${this.isWebSocket ? '/mqtt' : ''}`;
  }
}

/** What has been understood so far. */
export class Draft {
  readonly settings: Setting[] = [];
  readonly notes: Note[] = [];
  readonly faults: string[] = [];
  /** What stands before the first `listener`; it is a listener only where it has a port. */
  readonly defaultListener: ListenerDraft = new ListenerDraft('');
  readonly listeners: ListenerDraft[] = [];
  /** Where the lines that belong to a listener go. */
  listener: ListenerDraft = this.defaultListener;
  isPerListener = false;
  /** The name of the bridge whose lines are being read. */
  bridge: string | undefined;
  /** The file name of the plug-in whose options are being read. */
  plugin: string | undefined;

  set(path: ConfigPath, value: unknown, { place, name }: Directive): void {
    this.settings.push({ path, value, place: `${place}: ${name}` });
  }

  /** For the listener whose block this is. */
  setHere(path: ConfigPath, value: unknown, { place, name }: Directive): void {
    this.listener.settings.push({ path, value, place: `${place}: ${name}` });
  }

  note({ place, name }: Pick<Directive, 'place' | 'name'>, sentence: string): void {
    this.notes.push({ place, sentence: `${name}: ${sentence}` });
  }

  fault({ place, name }: Directive, sentence: string): void {
    this.faults.push(`${place}: ${name}: ${sentence}`);
  }
}
