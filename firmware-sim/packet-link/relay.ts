import { connect, createServer, type NetConnectOpts, type Server } from 'node:net';

/** Whatever listens there is reached by what connects here; breaks are passed on as breaks. */
export function startRelay(
  listen: { readonly path: string } | { readonly host: string; readonly port: number },
  target: NetConnectOpts,
): Promise<Server> {
  const server = createServer((near) => {
    near.setNoDelay(true);
    const far = connect(target);
    far.once('connect', () => far.setNoDelay(true));
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.pipe(to);
      from.once('error', () => to.destroy());
      from.once('close', () => to.destroySoon());
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen, () => resolve(server));
  });
}
