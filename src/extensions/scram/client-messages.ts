import { prepareText } from '../../base/prepare-text.js';
import { isUtf8, utf8Text } from '../../base/utf8.js';

/** The first message of a client (RFC 5802, section 7). */
export interface ClientFirst {
  /** Flag and authorisation identity: `n,,` or `y,,`. The final message repeats it. */
  readonly gs2Header: string;
  readonly bare: string;
  /** Decoded and prepared. */
  readonly userName: string;
  readonly nonce: string;
}

export interface ClientFinal {
  /** As Base64, still to be compared with the header of the first message. */
  readonly channelBinding: string;
  readonly nonce: string;
  readonly withoutProof: string;
  readonly proof: Uint8Array;
}

/** A sentence that says what is wrong with a message. */
export class MalformedMessage {
  readonly sentence: string;

  constructor(sentence: string) {
    this.sentence = sentence;
  }
}

/** Printable ASCII but the comma. */
const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/;
/**
 * Further attributes that this version does not know are ignored, as RFC 5802 (section 5.1) asks.
 */
const ATTRIBUTES = '(?:,[A-Za-z]=[^,]+)*';
const CLIENT_FIRST = new RegExp(
  `^(?<flag>n|y|p=[A-Za-z0-9.-]+),(?:a=(?<identity>[^,]+))?,` +
    `(?<bare>(?<mandatory>m=[^,]*,)?n=(?<name>[^,]+),r=(?<nonce>[^,]+)${ATTRIBUTES})$`,
);
const CLIENT_FINAL = new RegExp(
  `^(?<rest>c=(?<binding>[^,]+),r=(?<nonce>[^,]+)${ATTRIBUTES}),p=(?<proof>[^,]+)$`,
);
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const NONCE_LENGTH_MAX = 256;

/**
 *     client-first-message = gs2-cbind-flag "," [authzid] "," [reserved-mext ","]
 *                            username "," nonce ["," extensions]
 */
export function parseClientFirst(data: Uint8Array | undefined): ClientFirst | MalformedMessage {
  const text = textOf(data);
  const groups = text === undefined ? undefined : CLIENT_FIRST.exec(text)?.groups;
  if (text === undefined || groups === undefined) {
    return new MalformedMessage('the first SCRAM message is malformed');
  }
  const { flag, identity, bare, mandatory, name, nonce } = groups as Record<string, string>;
  if (flag!.startsWith('p')) {
    return new MalformedMessage('channel binding is not available here');
  }
  if (mandatory !== undefined) {
    return new MalformedMessage('the SCRAM extension that the client demands is not known');
  }
  if (!isNonce(nonce!)) return new MalformedMessage('the SCRAM nonce has a character it may not');
  const userName = decodeName(name!);
  if (userName === undefined) return new MalformedMessage('the SCRAM user name is malformed');
  if (identity !== undefined && decodeName(identity) !== userName) {
    return new MalformedMessage('to act for another user is not available here');
  }
  const gs2Header = text.slice(0, text.length - bare!.length);
  return { gs2Header, bare: bare!, userName, nonce: nonce! };
}

/**
 *     client-final-message = channel-binding "," nonce ["," extensions] "," proof
 */
export function parseClientFinal(data: Uint8Array | undefined): ClientFinal | MalformedMessage {
  const groups = CLIENT_FINAL.exec(textOf(data) ?? '')?.groups as
    | Record<'rest' | 'binding' | 'nonce' | 'proof', string>
    | undefined;
  if (groups === undefined || !BASE64.test(groups.proof)) {
    return new MalformedMessage('the final SCRAM message is malformed');
  }
  const { rest, binding, nonce, proof } = groups;
  const bytes = new Uint8Array(Buffer.from(proof, 'base64'));
  return { channelBinding: binding, nonce, withoutProof: rest, proof: bytes };
}

function isNonce(nonce: string): boolean {
  return nonce.length <= NONCE_LENGTH_MAX && NONCE.test(nonce);
}

/** `=2C` stands for a comma, `=3D` for `=`; no other `=` may be there. */
function decodeName(saslName: string): string | undefined {
  if (/=(?!2C|3D)/.test(saslName)) return undefined;
  return prepareText(saslName.replaceAll('=2C', ',').replaceAll('=3D', '='));
}

function textOf(data: Uint8Array | undefined): string | undefined {
  if (data === undefined || !isUtf8(data, 0, data.length)) return undefined;
  return utf8Text(data, 0, data.length);
}
