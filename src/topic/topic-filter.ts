import { isTopicText, type TopicLimits } from './topic-name.js';

const SHARE_PREFIX = '$share/';

export interface TopicFilter {
  /** As the client wrote it. */
  readonly filter: string;
  /** Of a Shared Subscription. */
  readonly shareName: string | undefined;
  /** What Topic Names are matched against: without `$share/{ShareName}/`. */
  readonly topicFilter: string;
  readonly hasWildcard: boolean;
}

/** The parts of a Topic Filter (sections 4.7 and 4.8.2), or undefined when it is invalid. */
export function parseTopicFilter(filter: string, limits: TopicLimits): TopicFilter | undefined {
  // [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.7.3-3]
  if (!isTopicText(filter, limits)) return undefined;
  let shareName: string | undefined;
  let topicFilter = filter;
  if (filter.startsWith(SHARE_PREFIX)) {
    const nameEnd = filter.indexOf('/', SHARE_PREFIX.length);
    shareName = filter.slice(SHARE_PREFIX.length, nameEnd);
    if (nameEnd < 0 || shareName === '') return undefined; // [MQTT-4.8.2-1]
    if (hasWildcards(shareName)) return undefined; // [MQTT-4.8.2-2]
    topicFilter = filter.slice(nameEnd + 1);
    if (topicFilter === '') return undefined; // [MQTT-4.8.2-2]
  }
  if (!areWildcardsAlone(topicFilter)) return undefined;
  return { filter, shareName, topicFilter, hasWildcard: hasWildcards(topicFilter) };
}

export function hasWildcards(topicFilter: string): boolean {
  return topicFilter.includes('+') || topicFilter.includes('#');
}

/** Whether each wildcard occupies an entire level, `#` the last one. */
function areWildcardsAlone(topicFilter: string): boolean {
  const last = topicFilter.length - 1;
  for (let at = 0; at <= last; at++) {
    const character = topicFilter[at];
    if (character !== '+' && character !== '#') continue;
    if (at > 0 && topicFilter[at - 1] !== '/') return false; // [MQTT-4.7.1-2]
    if (character === '#' && at < last) return false; // [MQTT-4.7.1-1]
    if (at < last && topicFilter[at + 1] !== '/') return false; // [MQTT-4.7.1-2]
  }
  return true;
}

/** Whether a Topic Name matches, exactly as section 4.7 has it: the reference for the trees. */
export function matches(topicFilter: string, topicName: string): boolean {
  const startsWithWildcard = topicFilter[0] === '+' || topicFilter[0] === '#';
  if (startsWithWildcard && topicName[0] === '$') return false; // [MQTT-4.7.2-1]
  const filterLevels = topicFilter.split('/');
  const nameLevels = topicName.split('/');
  for (let i = 0; i < filterLevels.length; i++) {
    const level = filterLevels[i];
    // "#" also stands for no level: "a/#" matches "a".
    if (level === '#') return true;
    if (i >= nameLevels.length) return false;
    if (level !== '+' && level !== nameLevels[i]) return false;
  }
  return filterLevels.length === nameLevels.length;
}
