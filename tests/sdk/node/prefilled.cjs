// Prints, as JSON, what the page at /docs sends for every POST and PUT of a document if nothing is changed in it.
// The samples are those of Swagger UI itself. What happens to them is as in its components RequestBody and Parameters,
// which need a browser: a form has one sample a part, and empty parts are not sent.
//
// node prefilled.cjs SWAGGER_UI_BUNDLE OPENAPI_DOCUMENT
const fs = require('fs');
const vm = require('vm');

const [bundle, document] = process.argv.slice(2).map((path) => fs.readFileSync(path, 'utf8'));
const spec = JSON.parse(document);

// Swagger UI looks at these when it is loaded. It draws nothing here.
globalThis.window = globalThis;
globalThis.location = new URL('http://127.0.0.1/docs');
const element = { style: {}, setAttribute() {}, addEventListener() {} };
globalThis.document = { ...element, createElement: () => element, querySelector: () => null, documentElement: element };
globalThis.addEventListener = () => {};

const loaded = { exports: {} };
vm.runInThisContext(`(function (module, exports, require) {${bundle}\n})`)(loaded, loaded.exports, require);
const { getSampleSchema } = loaded.exports({ spec }).getSystem().fn;

function resolve(schema) {
  if (Array.isArray(schema)) return schema.map(resolve);
  if (schema === null || typeof schema !== 'object') return schema;
  const { $ref: reference, ...beside } = schema;
  const named = reference ? reference.slice(2).split('/').reduce((part, name) => part[name], spec) : {};
  const whole = { ...named, ...beside };
  return Object.fromEntries(Object.entries(whole).map(([name, value]) => [name, resolve(value)]));
}

function sampleForm(schema) {
  const parts = Object.entries(schema.properties ?? {});
  const files = parts.filter(([, part]) => part.format === 'binary').map(([name]) => name);
  const texts = parts
    .filter(([name]) => !files.includes(name))
    .map(([name, part]) => [name, getSampleSchema(part, false, { includeWriteOnly: true })])
    .filter(([, value]) => value !== '');
  return { files, form: Object.fromEntries(texts) };
}

function sampleBody(mediaType, { schema, example }) {
  const whole = resolve(schema);
  if (/^multipart|form-urlencoded$/.test(mediaType)) return sampleForm(whole);
  return { text: getSampleSchema(whole, mediaType, { includeWriteOnly: true }, example) };
}

const requests = [];
for (const [path, operations] of Object.entries(spec.paths)) {
  for (const method of ['post', 'put']) {
    const bodies = Object.entries(operations[method]?.requestBody?.content ?? {});
    for (const [mediaType, content] of bodies) {
      const body = sampleBody(mediaType, content);
      if (body.text !== undefined && typeof body.text !== 'string') body.text = JSON.stringify(body.text);
      requests.push({ method, path, mediaType, ...body });
    }
  }
}
process.stdout.write(JSON.stringify(requests), () => process.exit());
