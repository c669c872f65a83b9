import { SOURCE_ORDERS } from './access-rules.js';
import { actions, type Rule } from './rule.js';
import { RuleList } from './rule-list.js';
import { faultOf } from './topic-pattern.js';
import { nameSet, type Who } from './who.js';

const ACCESS: Readonly<Record<string, number>> = {
  read: actions['subscribe']!,
  write: actions['publish']!,
  readwrite: actions['all']!,
  deny: actions['all']!,
};

export interface MosquittoAcl {
  readonly source: RuleList;
  /** Sentences, each with file and line. A file with faults must not be used. */
  readonly faults: readonly string[];
}

/**
 * An ACL file of Mosquitto: `user NAME`, `topic [read|write|readwrite|deny] FILTER`, `pattern` the
 * same with `%u` and `%c`. What denies weighs more than what allows, wherever it stands; the topics
 * of a user come before the patterns; what is before the first `user` is for anonymous clients.
 */
export function readMosquittoAcl(text: string, file: string): MosquittoAcl {
  const reader = new AclReader(file);
  text.split('\n').forEach((line, i) => {
    reader.line(line.replace(/\r+$/, ''), i + 1);
  });
  const { topicDenials, topics, patternDenials, patterns } = reader;
  const rules = [...topicDenials, ...topics, ...patternDenials, ...patterns];
  return { source: new RuleList(rules, 'first', SOURCE_ORDERS), faults: reader.faults };
}

class AclReader {
  readonly topicDenials: Rule[] = [];
  readonly topics: Rule[] = [];
  readonly patternDenials: Rule[] = [];
  readonly patterns: Rule[] = [];
  readonly faults: string[] = [];
  readonly #file: string;
  #who: Who = { anonymous: true };

  constructor(file: string) {
    this.#file = file;
  }

  line(line: string, number: number): void {
    if (line.startsWith('#') || line.trim() === '') return;
    const place = `${this.#file}:${number}`;
    const [, word, rest] = /^ *(\S+) *(.*)$/.exec(line)!;
    if (word === 'user') {
      if (rest === '') this.faults.push(`${place}: user: expected a user name behind it`);
      // A name is taken as it stands: Mosquitto knows no `*`.
      else this.#who = { users: nameSet([rest!], false) };
    } else if (word === 'topic' || word === 'pattern') {
      this.#topic(word, rest!, place, line.trim());
    } else this.faults.push(`${place}: expected user, topic or pattern, not "${word}"`);
  }

  #topic(word: 'topic' | 'pattern', rest: string, place: string, text: string): void {
    const space = rest.indexOf(' ');
    const access = space < 0 ? 'readwrite' : rest.slice(0, space);
    const topic = space < 0 ? rest : rest.slice(space + 1).trimStart();
    const requests = Object.hasOwn(ACCESS, access) ? ACCESS[access] : undefined;
    if (requests === undefined) {
      const sentence = `expected read, write, readwrite or deny before the topic, not "${access}"`;
      this.faults.push(`${place}: ${sentence}`);
      return;
    }
    const fault = topic === '' ? 'expected a topic' : faultOf(topic);
    if (fault !== undefined) {
      this.faults.push(`${place}: ${fault}`);
      return;
    }
    const isPattern = word === 'pattern';
    const rule: Rule = {
      effect: access === 'deny' ? 'deny' : 'allow',
      requests,
      qosMax: 2,
      who: isPattern ? { plainNames: true } : this.#who,
      topics: [topic],
      isVerbatim: !isPattern,
      takesLevels: isPattern,
      place,
      text,
    };
    if (rule.effect === 'deny') (isPattern ? this.patternDenials : this.topicDenials).push(rule);
    else (isPattern ? this.patterns : this.topics).push(rule);
  }
}
