// SPDX-License-Identifier: Apache-2.0
// Reads {document, answers: [{schema, value}], exchanges: [{method, path, status, type, value}]} from
// standard input: the document must be valid OpenAPI 3.1, each answer what its schema in the document
// says, and each exchange one that the document promises: route, status, content type and shape.
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';

const { document, answers = [], exchanges = [] } = JSON.parse(readFileSync(0, 'utf8'));
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

const routes = Object.keys(document.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
  fixed: path.split('/').filter((part) => !part.startsWith('{')).length,
}));
routes.sort((a, b) => b.fixed - a.fixed); // a name before a parameter in its place

/** Where in the document the shape of this answer is; an error text where it has no place. */
function placeOf({ method, path, status, type }) {
  const of = routes.filter(({ pattern }) => pattern.test(path));
  const verb = method.toLowerCase();
  const route = of.find((one) => document.paths[one.path][verb]);
  // Addresses that are not in the document (the page, unknown ones) may answer with a problem.
  if (!route) return status < 400 ? null : '#/components/schemas/Problem';
  const { responses } = document.paths[route.path][verb];
  const key = responses[status] ? String(status) : status >= 400 ? 'default' : null;
  if (!key) throw new Error(`status ${status} is not in ${verb} ${route.path}`);
  const { content } = responses[key];
  if (!content) {
    if (type) throw new Error(`${verb} ${route.path} ${status} has a body of ${type}`);
    return null;
  }
  const kind = Object.keys(content).find((one) => type?.split(';')[0] === one || one === '*/*');
  if (!kind) throw new Error(`${verb} ${route.path} ${status} is ${type}, not ${Object.keys(content)}`);
  return content[kind].schema?.$ref ?? null;
}

for (const exchange of exchanges) {
  try {
    const place = placeOf(exchange);
    if (!place || exchange.value === null) continue;
    const check = ajv.getSchema(`api.json${place}`);
    if (!check(exchange.value)) problems.push([exchange, check.errors]);
  } catch (error) {
    problems.push([exchange, error.message]);
  }
}
if (problems.length > 0) {
  console.error(JSON.stringify(problems, null, 2));
  process.exit(1);
}
console.log(`${ids.length} operations, ${answers.length} answers, ${exchanges.length} exchanges`);
