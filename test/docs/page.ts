import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFolder } from '../support/build-if-stale.js';

/** The cells of one row by the names in the table's head. */
export type Row = Readonly<Record<string, string>>;

/** A page of documentation, as far as tests look into it. */
export class Page {
  readonly path: string;
  readonly text: string;

  /** `path` is from the root of the repository. */
  constructor(path: string) {
    this.path = path;
    this.text = readFileSync(join(repositoryFolder, path), 'utf8');
  }

  /** The contents of code blocks in this language. */
  code(language: string): string[] {
    const blocks = this.text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm);
    return [...blocks].flatMap(([, name, content]) => (name === language ? [content!] : []));
  }

  /** Sentences that are quoted as a paragraph of their own. */
  quotes(): string[] {
    return [...this.text.matchAll(/^> (.*)$/gm)].map(([, sentence]) => sentence!);
  }

  /** The rows of all tables whose head begins with this name. */
  rows(firstHead: string): Row[] {
    const tables = this.text.match(/(^\|.*\n)+/gm) ?? [];
    return tables.flatMap((table) => {
      const [head, , ...lines] = table.trim().split('\n').map(cells);
      if (head![0] !== firstHead) return [];
      return lines.map((line) => Object.fromEntries(head!.map((name, i) => [name, line[i] ?? ''])));
    });
  }

  /** What links lead to, those of images included. */
  links(): string[] {
    const prose = this.text.replace(/^```[\s\S]*?^```$/gm, '');
    return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  }

  /** The anchors that links to headings use. */
  anchors(): string[] {
    const headings = this.text.matchAll(/^#+ (.*)$/gm);
    return [...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
  }
}

/** The words of a cell that stand in code marks. */
export function codeWords(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
}

function cells(line: string): string[] {
  return line
    .slice(1, line.lastIndexOf('|'))
    .split('|')
    .map((cell) => cell.trim());
}
