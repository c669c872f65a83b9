import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** The client's half of SCRAM-SHA-256, written from RFC 5802 alone. */
export class ScramClient {
  readonly #password: string;
  readonly #header: string;
  readonly #bare: string;
  #serverSignature = '';

  constructor(saslName: string, password: string, nonce: string, header = 'n,,') {
    this.#password = password;
    this.#header = header;
    this.#bare = `n=${saslName},r=${nonce}`;
  }

  first(): Uint8Array {
    return Buffer.from(this.#header + this.#bare);
  }

  /** `say` stands for a client that lies about the header or the nonce and proves its lie. */
  final(serverFirst: Uint8Array, say: { header?: string; nonce?: string } = {}): Uint8Array {
    const challenge = Buffer.from(serverFirst).toString();
    const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(challenge)!;
    const salted = pbkdf2Sync(
      this.#password,
      Buffer.from(salt!, 'base64'),
      Number(iterations),
      32,
      'sha256',
    );
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash('sha256').update(clientKey).digest();
    const binding = Buffer.from(say.header ?? this.#header).toString('base64');
    const withoutProof = `c=${binding},r=${say.nonce ?? nonce}`;
    const authMessage = `${this.#bare},${challenge},${withoutProof}`;
    const signature = hmac(storedKey, authMessage);
    const proof = clientKey.map((byte, i) => byte ^ signature[i]!);
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64');
    return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`);
  }

  /** What the server must prove to know, once `final` was called. */
  get serverFinal(): string {
    return `v=${this.#serverSignature}`;
  }
}

function hmac(key: Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
