declare module 'aedes-persistence-level' {
  import type { Level } from 'level';

  export default function openPersistence(database: Level): unknown;
}
