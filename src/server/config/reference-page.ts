import { type ConfigKey, type ConfigNode, isSection, type SectionNode } from './node.js';

interface Chapter {
  readonly heading: string;
  readonly section: SectionNode;
}

/**
 * The tables of the reference page, one for each section, the outer ones first; a section that is
 * there twice is shown once.
 */
export function referenceTables(root: SectionNode): string {
  const chapters: Chapter[] = [{ heading: 'Top level', section: root }];
  const headings = new Map<SectionNode, string>([[root, 'Top level']]);
  for (const { heading, section } of chapters) {
    for (const [written, { node }] of section.keys) {
      const inner = innermost(node);
      if (!isSection(inner) || headings.has(inner)) continue;
      const name = section === root ? written : `${heading}.${written}`;
      headings.set(inner, name);
      chapters.push({ heading: name, section: inner });
    }
  }
  const tables = chapters.map((chapter) => tableOf(chapter, headings));
  return tables.join('\n');
}

function tableOf(
  { heading, section }: Chapter,
  headings: ReadonlyMap<SectionNode, string>,
): string {
  const rows = [...section.keys].map(([written, key]) => {
    const { node, description } = key;
    const cells = [
      `\`${written}\``,
      typeOf(node, headings),
      unitOf(node),
      defaultOf(key),
      description,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const head = '| key | type | unit | default | what it does |\n| --- | --- | --- | --- | --- |';
  return `## ${heading}\n\n${head}\n${rows.join('\n')}\n`;
}

function innermost(node: ConfigNode): ConfigNode {
  return node.kind === 'list' ? innermost(node.item) : node;
}

function typeOf(node: ConfigNode, headings: ReadonlyMap<SectionNode, string>): string {
  switch (node.kind) {
    case 'value':
      return node.facts.type;
    case 'list':
      return `list of ${typeOf(node.item, headings)}`;
    case 'section': {
      const heading = headings.get(node)!;
      return `[keys](#${heading.toLowerCase().replaceAll(/[^a-z0-9 _-]/g, '')})`;
    }
  }
}

function unitOf(node: ConfigNode): string {
  const inner = innermost(node);
  return inner.kind === 'value' ? (inner.facts.unit ?? '') : '';
}

function defaultOf({ node, isRequired, defaultValue, absent }: ConfigKey): string {
  if (isRequired) return 'required';
  if (absent !== undefined || defaultValue === undefined) return absent ?? '';
  if (isSection(node)) return '';
  const words = Array.isArray(defaultValue) ? (defaultValue as unknown[]) : [defaultValue];
  if (words.length === 0) return 'none';
  const inner = innermost(node);
  const show = (inner.kind === 'value' ? inner.facts.show : undefined) ?? String;
  return words.map((word) => `\`${show(word)}\``).join(', ');
}
