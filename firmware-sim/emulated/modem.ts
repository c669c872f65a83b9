import { connect, createServer, type Socket } from 'node:net';

/**
 * A transparent modem: what the device sends goes to the broker and back. The device never learns
 * that the broker's side was lost: the modem dials again by itself when the device speaks.
 */
export interface Modem {
  /** Where the device's UART is plugged in. */
  readonly port: number;
  /** Connections made to the broker so far. */
  readonly dials: number;
  /** Loses the connection to the broker, with whatever is under way. */
  cut(): void;
  close(): void;
}

export interface ModemOptions {
  readonly host: string;
  /** Asked at each dial: a broker that starts again may listen elsewhere. */
  readonly port: () => number;
}

export function startModem({ host, port }: ModemOptions): Promise<Modem> {
  let dials = 0;
  let line: Socket | undefined;
  const uarts = new Set<Socket>();

  const dial = (uart: Socket): Socket => {
    dials++;
    const broker = connect({ host, port: port(), noDelay: true });
    broker.on('data', (bytes) => uart.write(bytes));
    // Nobody answers, or the broker is gone: the next byte of the device dials again.
    broker.on('error', () => {});
    broker.on('close', () => {
      if (line === broker) line = undefined;
    });
    return broker;
  };
  const server = createServer({ noDelay: true }, (uart) => {
    uarts.add(uart);
    uart.on('data', (bytes) => {
      line ??= dial(uart);
      line.write(bytes);
    });
    uart.on('error', () => {});
    uart.on('close', () => {
      uarts.delete(uart);
      line?.end();
      line = undefined;
    });
  });
  const cut = () => {
    line?.resetAndDestroy();
    line = undefined;
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        get dials() {
          return dials;
        },
        cut,
        close() {
          cut();
          for (const uart of uarts) uart.destroy();
          server.close();
        },
      });
    });
  });
}
