import { jsonSchema } from '../../src/server/config/json-schema.js';
import { referenceTables } from '../../src/server/config/reference-page.js';
import { configTree } from '../../src/server/config.js';

const INTRODUCTION = `# Configuration

<!-- Written by \`npm run docs:config\` from src/server/config; change it there. -->

One YAML file, named by \`--config\` or \`DUNLIN_CONFIG\`. Every key has a default: the file holds only
what differs. An editor that knows the YAML language server completes and checks it with this first line
(the path leads to [config.schema.json](config.schema.json), which \`dunlin schema\` prints too):

\`\`\`yaml
# yaml-language-server: $schema=./config.schema.json
\`\`\`

* Sizes are bytes or have a unit (\`64KiB\`, \`2MB\`), times are seconds or have one (\`30s\`, \`5m\`, \`12h\`,
  \`7d\`, \`2w\`), counts may have underscores (\`100_000\`), yes/no is \`true\` or \`false\` (\`yes\`, \`no\`, \`on\`,
  \`off\`, \`1\`, \`0\` too). A list of one may be written without the list.
* \`\${NAME}\` in any value stands for a variable of the environment, \`\${NAME:-value}\` has a value for where
  there is none, \`$\${\` is a dollar sign and a brace.
* A key of type *secret* may be written with \`_file\` behind it and then names a file that holds the value.
* Every key is a variable too: \`DUNLIN_LIMITS__QOS_MAX=1\`, \`DUNLIN_LISTEN__0__TLS__KEY=/etc/key.pem\`,
  \`DUNLIN_DATA_FILE=/run/secrets/data\`. Variables weigh more than the file, flags more than variables.
* An unknown key is an error that names the nearest right one, with line and column.

`;

/** What docs/configuration.md must be. */
export function configurationPage(): string {
  return `${INTRODUCTION}${referenceTables(configTree)}`;
}

/** What docs/config.schema.json must be. */
export function configurationSchema(): string {
  return `${JSON.stringify(jsonSchema(configTree), undefined, 2)}\n`;
}
