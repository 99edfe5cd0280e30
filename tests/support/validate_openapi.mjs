// SPDX-License-Identifier: Apache-2.0
// Reads {document, answers: [{schema, value}]} from standard input: the document must be valid
// OpenAPI 3.1, and each answer what its schema in the document says.
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';

const { document, answers } = JSON.parse(readFileSync(0, 'utf8'));
const problems = [];

const validator = new Validator();
const checked = await validator.validate(document);
if (!checked.valid) problems.push(['document', checked.errors]);
if (validator.version !== '3.1') problems.push(['version', validator.version]);

const ids = Object.values(document.paths).flatMap((path) =>
  Object.values(path).map((operation) => operation.operationId),
);
if (new Set(ids).size !== ids.length) problems.push(['operation ids', ids]);

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(document, 'api.json');
for (const { schema, value } of answers) {
  const check = ajv.getSchema(`api.json#/components/schemas/${schema}`);
  if (!check) problems.push([schema, 'no such schema']);
  else if (!check(value)) problems.push([schema, check.errors, value]);
}
if (problems.length > 0) {
  console.error(JSON.stringify(problems, null, 2));
  process.exit(1);
}
console.log(`${ids.length} operations, ${answers.length} answers`);
