/** Whether a Topic Name matches a Topic Filter, written straight from section 4.7. */
export function topicMatches(topicFilter: string, topicName: string): boolean {
  const wanted = topicFilter.split('/');
  const levels = topicName.split('/');
  const isWild = wanted[0] === '#' || wanted[0] === '+';
  if (topicName.startsWith('$') && isWild) return false; // [MQTT-4.7.2-1]
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '#') return true;
    if (i >= levels.length) return false;
    if (wanted[i] !== '+' && wanted[i] !== levels[i]) return false;
  }
  return wanted.length === levels.length;
}

/** The filter of `$share/{ShareName}/{filter}`, or the filter itself. */
export function plainFilter(topicFilter: string): string {
  return isShared(topicFilter) ? topicFilter.split('/').slice(2).join('/') : topicFilter;
}

export function isShared(topicFilter: string): boolean {
  return topicFilter.startsWith('$share/');
}
