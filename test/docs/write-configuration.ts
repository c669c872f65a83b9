import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFolder } from '../support/build-if-stale.js';
import { configurationPage, configurationSchema } from './configuration-page.js';

writeFileSync(join(repositoryFolder, 'docs/configuration.md'), configurationPage());
writeFileSync(join(repositoryFolder, 'docs/config.schema.json'), configurationSchema());
