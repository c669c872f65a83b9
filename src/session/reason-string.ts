import type { Connect } from '../wire/control-packet.js';

/** A sentence beyond this quotes a hostile value; the packet could not even hold some of them. */
const LENGTH_MAX = 500;
/** Beside the Reason String in CONNACK and DISCONNECT. */
const OTHER_BYTES_MAX = 16;

/** A Reason String or undefined, as the client asked and its packet size allows. [MQTT-3.2.2-19] */
export function reasonStringFor(
  sentence: string,
  connect: Connect | undefined,
): string | undefined {
  if (connect?.protocolVersion !== 5 || !connect.requestProblemInformation) return undefined;
  if (sentence.length > LENGTH_MAX) return undefined;
  const limit = connect.maximumPacketSizeBytes ?? Number.POSITIVE_INFINITY;
  return sentence.length * 3 + OTHER_BYTES_MAX > limit ? undefined : sentence;
}
