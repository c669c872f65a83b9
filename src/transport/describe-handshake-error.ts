/** What a failed TLS handshake means, in words for whoever has to mend the device. */
export function describeHandshakeError(error: NodeJS.ErrnoException): string {
  const code = error.code ?? '';
  if (Object.hasOwn(SENTENCES, code)) return SENTENCES[code]!;
  // OpenSSL's message has a file and a line of its own source in it.
  const { reason = error.message } = error as { readonly reason?: string };
  return `the TLS handshake failed: ${reason}`;
}

/** Codes of OpenSSL's errors and alerts, and of certificates that are not accepted. */
const SENTENCES: Readonly<Record<string, string>> = {
  ECONNRESET: 'the client left in the middle of the TLS handshake',
  EPIPE: 'the client left in the middle of the TLS handshake',
  ERR_SSL_HTTP_REQUEST: 'the client speaks HTTP without TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the client does not speak TLS: its port is for TLS alone',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the client does not speak TLS: its port is for TLS alone',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the client speaks only versions of TLS that are not let in',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the client wants another version of TLS',
  ERR_SSL_NO_SHARED_CIPHER: 'the client and the listener have no cipher suite in common',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM:
    'the client has no pre-shared key that the listener knows, and they have no other in common',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'the client has shown no certificate',
  ERR_SSL_PSK_IDENTITY_NOT_FOUND: 'the psk_file has no key for the identity of the client',
  ERR_SSL_BINDER_DOES_NOT_VERIFY: 'the client has another key than the psk_file',
  ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: 'the client has another key than the listener',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    "the client does not trust the listener's certificate: it needs the authority's certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "the client does not accept the listener's certificate",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "the client does not accept the listener's certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    "the client finds the listener's certificate expired: perhaps its clock is wrong",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'the client finds nothing in common with the listener',
  UNABLE_TO_GET_ISSUER_CERT: "the client's certificate is of an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the client's certificate is of an unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the client's certificate is of an unknown authority",
  SELF_SIGNED_CERT_IN_CHAIN: "the client's certificate is of an unknown authority",
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the client has signed its certificate itself',
  CERT_SIGNATURE_FAILURE: "the signature on the client's certificate is wrong",
  CERT_REVOKED: "the client's certificate is revoked",
  CERT_HAS_EXPIRED: "the client's certificate has expired",
  CERT_NOT_YET_VALID: "the client's certificate is not valid yet: perhaps a clock is wrong",
  INVALID_PURPOSE: "the client's certificate is not meant for clients",
  UNABLE_TO_GET_CRL: 'the revocation_list has no list of the authority of the certificate',
  CRL_HAS_EXPIRED: 'the revocation_list is out of date',
  CRL_NOT_YET_VALID: 'the revocation_list is not valid yet: perhaps the clock is wrong',
};
