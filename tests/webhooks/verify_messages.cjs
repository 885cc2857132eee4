// Compiles the example of the guide (argument 1), and gives it the messages that are its input as JSON: for each it prints
// the status, or "refused".
const { readFileSync } = require("node:fs");
const ts = require("typescript");

const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
const compiled = ts.transpileModule(readFileSync(process.argv[2], "utf8"), { compilerOptions: options });
const example = { exports: {} };
new Function("exports", "require", "console", compiled.outputText)(example.exports, require, { log() {} });

(async () => {
  for (const { body, headers } of JSON.parse(readFileSync(0, "utf8"))) {
    const request = new Request("https://example.com/hook", { method: "POST", body, headers });
    try {
      console.log((await example.exports.receive(request)).status);
    } catch {
      console.log("refused");
    }
  }
})();
