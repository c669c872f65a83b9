import type { AuthenticateRequest } from '../../broker/hooks.js';
import { accepted, type LoginMethod, NOT_MINE, type Verdict } from './login-method.js';

/**
 * A client certificate that the listener has checked: the name that its `user_name_from` chooses,
 * or what a trusted proxy found in it.
 */
export const certificateMethod: LoginMethod = {
  name: 'certificate',
  judge({ peer }: AuthenticateRequest): Verdict {
    const { certificate, proxiedCommonName } = peer;
    const userName = certificate === undefined ? proxiedCommonName : certificate.userName;
    if (userName === undefined) return NOT_MINE;
    const claims =
      certificate === undefined
        ? {}
        : { subject: certificate.subject, fingerprint256: certificate.fingerprint256 };
    return accepted('certificate', userName, { claims });
  },
};

/** A key shared before: the listener's file has it under this name. */
export const pskMethod: LoginMethod = {
  name: 'psk',
  judge: ({ peer }) =>
    peer.pskIdentity === undefined ? NOT_MINE : accepted('psk', peer.pskIdentity),
};
